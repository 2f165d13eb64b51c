import { NAMESPACE_SEPARATOR } from '../../lib/memory/cache-key.js';
import { readMessage, type ChangeMessage } from '../../lib/redis/change-message.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { DELETE, INVALIDATE, WRITE } from '../../lib/redis/scripts.js';
import type { Clock } from '../../lib/clock.js';
import type { Executed } from './fleet-network.js';

/** How a value was got. */
export type How = 'peek' | 'getIfPresent' | 'get' | 'getOrSet' | 'a loader' | 'an update';

/** A value that knows where it comes from. Moments are counted over all processes. */
export interface FleetValue {
  readonly id: string;
  readonly process: string;
  readonly source: 'load' | 'set' | 'update';
  readonly path: string;
  readonly tags: readonly string[];
  /** When its set, update or loader was called. */
  readonly calledAt: number;
  /** The clock's time then. */
  readonly at: number;
  /** Whether it may be a stale answer when it has expired. */
  readonly hasGrace: boolean;
  /** When the server has stored it. */
  storedAt: number[];
}

/** A moment, and the clock's time. */
export interface Asked {
  readonly moment: number;
  readonly at: number;
}

/** What a process has ended for itself, from a moment on: all that was called before another. */
interface OwnEnd extends Asked {
  readonly calledBefore: number;
  readonly isExpiry: boolean;
}

/** A change that the server has carried out in one bucket. */
interface Change extends Asked {
  readonly process: string;
  readonly isExpiry: boolean;
  /** The value that it has stored, if it has. */
  readonly stored: string | undefined;
  /** The clock's time until which nothing that is loaded is to be stored. */
  heldUntil: number;
}

/**
 * Holds what each process answers, and what the server stores, against what was invalidated or replaced:
 *
 * - a process that has ended something shows nothing from before its call;
 * - what another one has ended is shown for `maxStale` at most from when the server has carried it out;
 * - the server stores nothing whose load began before a change that it has carried out, or during a hold.
 */
export class FleetOracle {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #maxStaleMs: number;
  readonly #layout = new KeyLayout({ prefix: 'any', name: 'any' });
  readonly #values = new Map<string, FleetValue>();
  /** By the process and what it has ended. */
  readonly #ownEnds = new Map<string, OwnEnd[]>();
  /** By the bucket and what was changed. */
  readonly #changes = new Map<string, Change[]>();
  #moment = 0;
  /** Whether all processes are known to have heard of everything. */
  isCalm = false;
  violation: string | undefined;
  /** What has happened, where that is to be told. */
  readonly told: string[] | undefined;

  constructor(clock: Pick<Clock, 'now'>, maxStaleMs: number, tells: boolean) {
    this.#clock = clock;
    this.#maxStaleMs = maxStaleMs;
    this.told = tells ? [] : undefined;
  }

  tell(what: () => string): void {
    this.told?.push(`${this.#moment} (${Math.round(this.#clock.now())} ms) ${what()}`);
  }

  violate(what: string): void {
    if (this.violation === undefined) this.tell(() => what);
    this.violation ??= `moment ${this.#moment}, ${Math.round(this.#clock.now())} ms: ${what}`;
  }

  /** Takes the next moment. */
  now(): Asked {
    return { moment: ++this.#moment, at: this.#clock.now() };
  }

  make(value: Pick<FleetValue, 'process' | 'source' | 'path' | 'tags' | 'hasGrace'>): FleetValue {
    const { moment, at } = this.now();
    const id = `${value.source} ${moment} of ${value.process}`;
    const made: FleetValue = { ...value, id, calledAt: moment, at, storedAt: [] };
    this.#values.set(id, made);
    this.tell(
      () => `${id} for ${value.path} [${value.tags.join()}]${value.hasGrace ? ' grace' : ''}`,
    );
    return made;
  }

  valueOf(id: string): FleetValue {
    return this.#values.get(id)!;
  }

  /** Notes that a process has ended a path, `#` and a tag, a namespace or `*` for everything. */
  noteEnded(
    process: string,
    name: string,
    { calledBefore, isExpiry = false }: { calledBefore?: number; isExpiry?: boolean } = {},
  ): void {
    const now = this.now();
    this.tell(() => `${process} has ended ${name}${isExpiry ? ' (expire)' : ''}`);
    const end = { ...now, calledBefore: calledBefore ?? now.moment, isExpiry };
    listOf(this.#ownEnds, `${process} ${name}`).push(end);
  }

  /** Notes what the server has done. */
  noteExecuted({ process, script, args, reply, messages }: Executed): void {
    const message = messages[0] === undefined ? undefined : readMessage(messages[0]);
    if (script === WRITE) this.tell(() => `server: ${String(reply)} ${idOf(args)} of ${process}`);
    if (message === undefined) return;
    const now = this.now();
    const stored = script === WRITE ? idOf(args) : undefined;
    const holdMs = stored === undefined ? Number(args[script === DELETE ? 0 : 1]) : 0;
    // The token of a lease has spaces, and nothing else of what a write is given first.
    if (stored !== undefined) this.#checkStored(stored, String(args[0]).includes(' '));
    const names = namesOf(message);
    for (const name of names) {
      const isExpiry = script === DELETE && String(args[1]) === '1';
      const heldUntil = holdMs === 0 ? -Infinity : now.at + holdMs;
      const change = { ...now, process, isExpiry, stored, heldUntil };
      listOf(this.#changes, `${message.bucket} ${name}`).push(change);
    }
    if (script !== WRITE && (script !== INVALIDATE || message.bucket === 0))
      this.tell(() => `server: ended ${names.join()} for ${process}, hold ${holdMs}`);
  }

  /** Notes that the server has lost something, which may have been a hold. */
  noteLost(what: string): void {
    this.tell(() => `server: lost ${what}`);
    for (const changes of this.#changes.values())
      for (const change of changes) change.heldUntil = -Infinity;
  }

  /** Notes that the server knows nothing any more of what it has done since a moment. */
  noteRewound(since: number): void {
    this.tell(() => `server: rewound to ${since}`);
    for (const [name, changes] of this.#changes)
      this.#changes.set(
        name,
        changes.filter(({ moment }) => moment <= since),
      );
    for (const value of this.#values.values())
      value.storedAt = value.storedAt.filter((moment) => moment <= since);
  }

  /** An answer must not be one that was ended when it was asked for. */
  check(
    process: string,
    path: string,
    { value, asked, how }: { value: FleetValue | undefined; asked: Asked; how: How },
  ): void {
    if (value === undefined) return;
    if (value.path !== path) this.violate(`${how} of ${path} gave one of ${value.path}`);
    const isStaleAnswer = value.hasGrace && (how === 'getOrSet' || how === 'a loader');
    const end = this.#endOf(process, value, { asked, isStaleAnswer });
    if (end !== undefined)
      this.violate(
        `${how} in ${process} of ${path}, asked at ${asked.moment}, gave the ${value.id}, ended by ${end}`,
      );
  }

  #endOf(
    process: string,
    value: FleetValue,
    { asked, isStaleAnswer }: { asked: Asked; isStaleAnswer: boolean },
  ): string | undefined {
    const { calledAt } = value;
    for (const name of endsOf(value)) {
      const changes = this.#changesOf(value.path, name);
      for (const end of this.#ownEnds.get(`${process} ${name}`) ?? []) {
        if (calledAt >= end.calledBefore || end.moment >= asked.moment) continue;
        if (end.isExpiry && isStaleAnswer) continue;
        if (!isReplaced(value, process, end, changes)) return `its own ${name} of ${end.moment}`;
      }
      for (const change of changes) {
        const { moment, at } = change;
        if (change.process === process || calledAt > moment || moment >= asked.moment) continue;
        if (change.isExpiry && isStaleAnswer) continue;
        if (value.storedAt.some((stored) => stored >= moment)) continue;
        const limit = this.isCalm ? 0 : this.#maxStaleMs;
        if (asked.at > at + limit)
          return `${name} of ${change.process} at ${moment}, ${asked.at - at} ms ago`;
      }
    }
    return undefined;
  }

  #checkStored(id: string, isLoad: boolean): void {
    const value = this.valueOf(id);
    value.storedAt.push(this.#moment);
    if (!isLoad) return;
    for (const name of endsOf(value)) {
      for (const { moment, heldUntil } of this.#changesOf(value.path, name)) {
        if (moment > value.calledAt)
          this.violate(`the server has stored the ${id}, ended by ${name} at ${moment}`);
        // A hold may be a millisecond shorter: servers keep them so long from the last whole one.
        else if (value.at < heldUntil - 1)
          this.violate(`the server has stored the ${id}, which ${name} holds since ${moment}`);
      }
    }
  }

  #changesOf(path: string, name: string): readonly Change[] {
    return this.#changes.get(`${this.#layout.indexOf(keyOf(path))} ${name}`) ?? [];
  }
}

/** What another process has set since the server carried an end out is there although it was called before. */
function isReplaced(
  { process: by, source, storedAt }: FleetValue,
  process: string,
  end: OwnEnd,
  changes: readonly Change[],
): boolean {
  if (source === 'load' || by === process) return false;
  const carriedOut = changes.find(
    (one) => one.process === process && one.moment > end.calledBefore,
  );
  return carriedOut !== undefined && storedAt.some((moment) => moment > carriedOut.moment);
}

/** Whatever ends a value. */
function endsOf({ path, tags }: FleetValue): string[] {
  const [first, second] = path.split('/');
  return [
    path,
    '*',
    ...(second === undefined ? [] : [`${first}/*`]),
    ...tags.map((tag) => `#${tag}`),
  ];
}

function namesOf({ change }: ChangeMessage): string[] {
  if (change.kind === 'tags') return change.tags.map((tag) => `#${tag}`);
  if (change.kind === 'key') return [change.key.replace(NAMESPACE_SEPARATOR, '/')];
  return [`${change.prefix.replace(NAMESPACE_SEPARATOR, '/')}*`];
}

function keyOf(path: string): string {
  return path.replace('/', NAMESPACE_SEPARATOR);
}

const VALUE = 'value:';

/** What a codec makes of a value. */
export function bytesOfId(id: string): Buffer {
  return Buffer.from(VALUE + id);
}

export function idOfBytes(bytes: Buffer): string {
  return bytes.toString('latin1', VALUE.length);
}

/** Which value a script has stored: it ends its record. */
function idOf(args: readonly (string | Buffer)[]): string {
  const record = args.find((arg) => Buffer.isBuffer(arg))!.toString('latin1');
  return record.slice(record.lastIndexOf(VALUE) + VALUE.length);
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  let list = lists.get(name);
  if (list === undefined) {
    list = [];
    lists.set(name, list);
  }
  return list;
}
