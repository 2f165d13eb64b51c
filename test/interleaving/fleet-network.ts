import {
  NotSentError,
  type Connect,
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
} from '../../lib/redis/redis-connection.js';
import type { RedisScript } from '../../lib/redis/redis-driver.js';
import type { Random } from '../support/random.js';
import { RedisDouble, scriptOf } from '../support/redis-double.js';
import type { VirtualClock } from '../support/virtual-clock.js';

/** A script that the server has carried out for a process. */
export interface Executed {
  readonly process: string;
  readonly script: RedisScript;
  readonly args: readonly RedisArgument[];
  readonly reply: RedisReply;
  /** What it has told the other processes. */
  readonly messages: readonly string[];
}

/** A command on its way. */
interface Sent {
  readonly command: readonly RedisArgument[];
  readonly answer: (reply: RedisReply) => void;
  readonly fail: (error: Error) => void;
}

/* Made once: to make one for each command takes far longer than all else. */
const NO_CONNECTION = new NotSentError('There is no connection.');
const BROKEN = new Error('The connection has broken.');
const UNKNOWN_SCRIPT = new Error('NOSCRIPT No matching script.');
/** How much of what is on its way on a connection moves at once: a part of it, or all. */
const BURSTS = [1, 1, 2, 4, 16, Infinity];

/**
 * One server and the connections of several processes to it. Nothing arrives before it is delivered: of each
 * connection in its order, and of different ones in any order. A connection that breaks loses the answers and
 * messages on their way; what had been sent over it may be carried out for some time yet.
 */
export class FleetNetwork {
  readonly double: RedisDouble;
  readonly #random: Random;
  readonly #executed: (executed: Executed) => void;
  readonly #connections = new Set<HeldConnection>();
  /** What was sent over connections that have broken since, and had reached the server. */
  readonly #leftovers: { readonly process: string; readonly commands: Sent[] }[] = [];
  readonly #known = new Set<string>();
  readonly #cutOff = new Set<string>();
  #messages: string[] = [];
  #runs = 1;

  constructor(clock: VirtualClock, random: Random, executed: (executed: Executed) => void) {
    this.double = new RedisDouble(clock);
    this.double.publish = (_, message) => this.#publish(message);
    this.#random = random;
    this.#executed = executed;
  }

  /** How a process makes connections. */
  connectOf(process: string): Connect {
    return () => {
      const connection = new HeldConnection(process, (left) => this.#keepSome(process, left));
      this.#connections.add(connection);
      return connection;
    };
  }

  /** Lets something arrive over a connection, if there is anything on its way. */
  deliver(): void {
    const moves = [...this.#connections].flatMap((connection) => this.#movesOf(connection));
    if (moves.length > 0) this.#random.pick(moves)();
  }

  /** Lets everything arrive that is on its way over the connections; returns whether there was anything. */
  deliverAll(): boolean {
    let isAny = false;
    for (const connection of this.#connections) {
      for (const move of this.#movesOf(connection, Infinity)) {
        isAny = true;
        move();
      }
    }
    return isAny;
  }

  /** Carries out a command that was sent over a connection that has broken; returns whether there was one. */
  deliverLeftover(): boolean {
    const { length } = this.#leftovers;
    if (length > 0) this.#executeLeftover(this.#random.below(length));
    return length > 0;
  }

  /** Breaks one of the connections. */
  breakOne(): void {
    const up = [...this.#connections].filter(({ state }) => state === 'up');
    if (up.length > 0) this.#random.pick(up).break();
  }

  isCutOff(process: string): boolean {
    return this.#cutOff.has(process);
  }

  /** Nothing reaches a process, or comes from it, until {@link join}. */
  cutOff(process: string): void {
    this.#cutOff.add(process);
  }

  /** The connections of a process have broken meanwhile, or go on. */
  join(process: string): void {
    this.#cutOff.delete(process);
    for (const connection of this.#connections)
      if (connection.process === process && this.#random.below(2) === 0) connection.break();
  }

  /** The server begins anew, with what `restore` gives it: all connections break, and scripts are forgotten. */
  restart(restore: () => void): void {
    restore();
    this.double.runId = `run ${++this.#runs}`;
    this.#known.clear();
    for (const connection of this.#connections) if (connection.state === 'up') connection.break();
    this.#leftovers.length = 0;
  }

  #movesOf(connection: HeldConnection, most?: number): (() => void)[] {
    if (connection.state === 'ended') this.#connections.delete(connection);
    if (connection.state === 'ended' || this.#cutOff.has(connection.process)) return [];
    if (connection.state === 'connecting') return [() => connection.accept()];
    const burst = (): number => most ?? this.#random.pick(BURSTS);
    return [
      ...(connection.toServer.length > 0 ? [() => this.#receive(connection, burst())] : []),
      ...(connection.toProcess.length > 0 ? [() => connection.hear(burst())] : []),
    ];
  }

  #receive(connection: HeldConnection, most: number): void {
    for (const sent of connection.toServer.splice(0, most)) {
      const [name, text] = sent.command;
      if (name === 'SUBSCRIBE') connection.channel = String(text);
      const reply = name === 'SUBSCRIBE' ? null : this.#execute(connection.process, sent.command);
      connection.toProcess.push(() => {
        if (reply instanceof Error) sent.fail(reply);
        else sent.answer(reply);
      });
    }
  }

  #keepSome(process: string, sent: readonly Sent[]): void {
    const commands = sent.slice(0, this.#random.below(sent.length + 1));
    if (commands.length > 0) this.#leftovers.push({ process, commands });
  }

  #executeLeftover(at: number): void {
    const { process, commands } = this.#leftovers[at]!;
    const sent = commands.shift();
    if (commands.length === 0) this.#leftovers.splice(at, 1);
    if (sent !== undefined && sent.command[0] !== 'SUBSCRIBE') this.#execute(process, sent.command);
  }

  #execute(process: string, command: readonly RedisArgument[]): RedisReply | Error {
    const [name, ...rest] = command as [string, ...RedisArgument[]];
    if (name === 'mget') return this.double.mget(rest as string[]);
    const [which, count, ...given] = rest as [string, string, ...RedisArgument[]];
    const script = scriptOf(which);
    if (name === 'eval') this.#known.add(script.sha1);
    if (!this.#known.has(script.sha1)) return UNKNOWN_SCRIPT;
    const keys = given.slice(0, Number(count)) as string[];
    const args = given.slice(Number(count));
    this.#messages = [];
    const reply = this.double.run(script, keys, args);
    this.#executed({ process, script, args, reply, messages: this.#messages });
    return reply;
  }

  #publish(message: string): void {
    this.#messages.push(message);
    for (const connection of this.#connections)
      if (connection.channel !== undefined)
        connection.toProcess.push(() => connection.heard?.(message));
  }
}

/** A connection whose commands and answers wait until they are let go. It connects anew by itself. */
class HeldConnection implements RedisConnection {
  readonly isCluster = false;
  readonly ready: Promise<unknown>;
  readonly process: string;
  state: 'connecting' | 'up' | 'ended' = 'connecting';
  toServer: Sent[] = [];
  toProcess: (() => void)[] = [];
  /** What the server sends it the messages of. */
  channel: string | undefined;
  heard: ((message: string) => void) | undefined;
  readonly #left: (sent: readonly Sent[]) => void;
  readonly #listeners: (() => void)[] = [];
  readonly #waiting = new Set<Sent>();
  #subscribed: string | undefined;
  #settleReady!: { readonly resolve: () => void; readonly reject: (error: Error) => void };

  /** @param left given what was on its way to the server when it broke */
  constructor(process: string, left: (sent: readonly Sent[]) => void) {
    this.process = process;
    this.#left = left;
    this.ready = new Promise<void>((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => {});
  }

  onReady(run: () => void): void {
    this.#listeners.push(run);
  }

  send(_key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    if (this.state !== 'up') return Promise.reject(NO_CONNECTION);
    return new Promise((resolve, reject) => {
      const sent: Sent = {
        command,
        answer: (reply) => this.#waiting.delete(sent) && resolve(reply),
        fail: (error) => this.#waiting.delete(sent) && reject(error),
      };
      this.#waiting.add(sent);
      this.toServer.push(sent);
    });
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<unknown> {
    await this.ready;
    this.heard = hear;
    await this.send('', ['SUBSCRIBE', channel]);
    this.#subscribed = channel;
    return undefined;
  }

  end(): void {
    this.break();
    this.state = 'ended';
    this.#settleReady.reject(new Error('The connection was ended.'));
  }

  accept(): void {
    this.state = 'up';
    this.#settleReady.resolve();
    if (this.#subscribed !== undefined)
      this.send('', ['SUBSCRIBE', this.#subscribed]).catch(() => {});
    for (const run of this.#listeners) run();
  }

  hear(most: number): void {
    for (const arrive of this.toProcess.splice(0, most)) arrive();
  }

  break(): void {
    if (this.state === 'ended') return;
    this.state = 'connecting';
    this.channel = undefined;
    this.#left(this.toServer);
    [this.toServer, this.toProcess] = [[], []];
    for (const sent of this.#waiting) sent.fail(BROKEN);
  }
}
