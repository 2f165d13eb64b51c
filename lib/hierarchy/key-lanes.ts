import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import type { Ack, DeleteMode, LevelEntry } from '../levels/cache-level.js';
import {
  bothOf,
  mayStillStore,
  newLane,
  overtake,
  takeOut,
  type Deletion,
  type Lane,
  type Write,
  type WriteTerms,
  type Written,
} from './key-lane.js';
import type { LevelCalls, Reply } from './level-calls.js';

export type { WriteTerms, Written } from './key-lane.js';

/** What is not remembered key by key any more. */
export interface Forgotten {
  /** Whether deletes were owed: the level is to be cleared. */
  readonly owed: boolean;
  /** Writes that may still happen until `until`: the level is not to be read before they have settled. */
  readonly doubts: readonly Promise<boolean>[];
  readonly until: number;
}

/** What {@link KeyLanes} are made of. */
export interface KeyLanesOptions {
  readonly calls: LevelCalls;
  readonly clock: Clock;
  /** How long one who changes a key waits, the changes before its own included, in milliseconds. */
  readonly timeoutMs: number;
  /** For so many keys it is remembered that a delete is owed or a write is in doubt. */
  readonly maxKeys: number;
  /** Called when a delete is owed or a write is in doubt: `retry` is to be called in a while. */
  readonly owes: () => void;
  /** Called when there are too many, which are forgotten. */
  readonly overflows: (forgotten: Forgotten) => void;
}

/**
 * The order of changes to a level's keys. The level may take any time for each, so those of one key go
 * one after the other: a delete that is called while a write is under way follows it, and a write that
 * an invalidation overtook in the lane does not set out. Deletes that wait together are one, so lanes stay
 * short. Nobody waits longer than for one answer, whatever is before: who has is told that it failed. A
 * delete keeps its place then, and a write that has set out goes on, unread; one that has not is taken out,
 * and a delete takes its place if nothing older may be left.
 *
 * A key is not read while a delete of it is on its way or owed, nor while a write that took too long
 * may still happen: until that has settled, when a delete goes after it, or until what it would store
 * has expired. A lane that has nothing of this is forgotten.
 */
export class KeyLanes {
  readonly #options: KeyLanesOptions;
  readonly #lanes = new Map<string, Lane>();
  /** The keys that are remembered although nothing is on its way. */
  readonly #troubled = new Set<string>();
  #closed = false;

  constructor(options: KeyLanesOptions) {
    this.#options = options;
  }

  /** How many keys have changes on their way, deletes owed or writes in doubt. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Of how many of them a delete is owed or a write is in doubt. */
  get troubled(): number {
    return this.#troubled.size;
  }

  /** Whether the level may be asked for a key. */
  isReadable(key: string): boolean {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return true;
    if (lane.owed !== undefined || this.#isInDoubt(lane)) return false;
    const { running, waiting } = lane;
    if (running?.kind === 'delete' || running?.isGivenUp === true) return false;
    return waiting.every(({ kind }) => kind === 'write');
  }

  /** Stores an entry when what is under way for its key is over; settles with what became of it. */
  write(key: string, entry: LevelEntry, terms: WriteTerms): Promise<Written> {
    return new Promise((resolve) => {
      const { replaces, token } = terms;
      const wanted = (): boolean => terms.wanted();
      const cancel = this.#unlessFirst(key, () => this.#giveUp(key, write));
      const done = (written: Written): void => {
        cancel?.();
        resolve(written);
      };
      const write: Write = { kind: 'write', entry, replaces, token, wanted, done };
      this.#enter(key, write);
    });
  }

  /**
   * Removes a key; settles with `undefined` where that failed and is tried again.
   *
   * @param failed hears why, before that
   */
  delete(
    key: string,
    mode: DeleteMode,
    failed?: (cause: unknown) => void,
  ): Promise<Ack | undefined> {
    return new Promise((resolve) => {
      let isTold = false;
      const done = (ack: Ack | undefined, cause?: unknown): void => {
        if (isTold) return;
        isTold = true;
        cancel?.();
        if (ack === undefined) failed?.(cause);
        resolve(ack);
      };
      const { timeoutMs } = this.#options;
      const cancel = this.#unlessFirst(key, () =>
        done(undefined, new Error(`the delete has waited longer than ${timeoutMs} ms`)),
      );
      this.#enter(key, { kind: 'delete', mode, done: [done] });
    });
  }

  /** Sends a delete after each write under way that an invalidation of many keys concerns. */
  chase(concerns: (key: string, entry: LevelEntry) => boolean): void {
    for (const [key, { running }] of this.#lanes) {
      if (running?.kind === 'write' && concerns(key, running.entry)) void this.delete(key, {});
    }
  }

  /** Tries again what is owed; returns whether anything is left to be tried or to be forgotten. */
  retry(): boolean {
    for (const key of this.#troubled) {
      const lane = this.#lanes.get(key)!;
      if (lane.owed !== undefined && lane.running === undefined && !this.#isInDoubt(lane))
        void this.delete(key, lane.owed);
      else this.#leave(key, lane);
    }
    return this.#troubled.size > 0;
  }

  /** Forgets everything; what is on its way settles as failed. */
  close(): void {
    this.#closed = true;
    for (const { waiting } of this.#lanes.values()) {
      for (const change of waiting.splice(0)) end(change);
    }
    this.#lanes.clear();
    this.#troubled.clear();
  }

  /** Bounds the wait of a change that others are before; returns what ends that. */
  #unlessFirst(key: string, giveUp: () => void): (() => void) | undefined {
    const { clock, timeoutMs } = this.#options;
    const isFirst = this.#closed || this.#lanes.get(key)?.running === undefined;
    return isFirst ? undefined : clock.setTimer(giveUp, timeoutMs);
  }

  #giveUp(key: string, write: Write): void {
    const lane = this.#lanes.get(key);
    if (lane?.running === write) write.isGivenUp = true;
    else if (lane !== undefined) takeOut(lane, write);
    write.done('failed');
  }

  #enter(key: string, change: Write | Deletion): void {
    if (this.#closed) {
      end(change);
      return;
    }
    const lane = this.#lanes.get(key) ?? newLane();
    this.#lanes.set(key, lane);
    if (lane.running !== undefined) change.context = new AsyncResource('CacheChange');
    if (change.kind === 'write') {
      lane.waiting.push(change);
    } else {
      // What a write under way stores was fenced, and is not to stay as a stale value.
      if (mayStillStore(lane)) change.mode = { ...change.mode, expire: false };
      overtake(lane, change);
    }
    this.#advance(key, lane);
  }

  #advance(key: string, lane: Lane): void {
    while (lane.running === undefined && !this.#closed) {
      const change = lane.waiting.shift();
      if (change === undefined) {
        this.#leave(key, lane);
        return;
      }
      if (change.kind === 'write' && !this.#maySetOut(change, lane)) change.done('unwanted');
      else if (change.context === undefined) void this.#run(key, lane, change);
      else change.context.runInAsyncScope(() => void this.#run(key, lane, change));
    }
  }

  /** What is to follow a write in doubt could be overwritten by it. */
  #maySetOut(write: Write, lane: Lane): boolean {
    if (!this.#isInDoubt(lane)) return write.wanted();
    if (write.replaces) lane.owed = bothOf(lane.owed, {});
    return false;
  }

  async #run(key: string, lane: Lane, change: Write | Deletion): Promise<void> {
    lane.running = change;
    if (change.kind === 'write') await this.#runWrite(key, lane, change);
    else await this.#runDelete(key, lane, change);
    lane.running = undefined;
    this.#advance(key, lane);
  }

  async #runWrite(key: string, lane: Lane, { entry, token, replaces, done }: Write): Promise<void> {
    const reply = await this.#options.calls.write(key, entry, token);
    const written = reply.state === 'answered' ? (reply.answer ?? 'refused') : 'failed';
    if (reply.state === 'late') this.#doubt(key, lane, reply, entry.staleUntil);
    if (written === 'stored') lane.owed = undefined;
    else if (replaces) this.#owe(key, lane, {});
    done(written);
  }

  async #runDelete(key: string, lane: Lane, { mode, done }: Deletion): Promise<void> {
    const due = bothOf(lane.owed, mode);
    const reply = await this.#options.calls.delete(key, due);
    if (reply.state === 'answered') lane.owed = undefined;
    else this.#owe(key, lane, due);
    for (const tell of done) {
      if (reply.state === 'answered') tell(reply.answer);
      else tell(undefined, reply.cause);
    }
  }

  #doubt(
    key: string,
    lane: Lane,
    { settled }: Extract<Reply<unknown>, { state: 'late' }>,
    until: number,
  ): void {
    lane.doubts.add(settled);
    lane.doubtUntil = Math.max(lane.doubtUntil, until);
    this.#trouble(key);
    void this.#afterDoubt(key, lane, settled);
  }

  async #afterDoubt(key: string, lane: Lane, settled: Promise<boolean>): Promise<void> {
    await settled;
    if (!lane.doubts.delete(settled) || lane.doubts.size > 0) return;
    if (this.#lanes.get(key) === lane) await this.delete(key, { ...lane.owed, expire: false });
  }

  #owe(key: string, lane: Lane, mode: DeleteMode): void {
    lane.owed = bothOf(lane.owed, mode);
    this.#trouble(key);
  }

  #trouble(key: string): void {
    if (this.#closed) return;
    this.#options.owes();
    this.#troubled.add(key);
    if (this.#troubled.size <= this.#options.maxKeys) return;
    this.#options.overflows(this.#forget());
  }

  #forget(): Forgotten {
    let [owed, until] = [false, -Infinity];
    const doubts: Promise<boolean>[] = [];
    for (const key of this.#troubled) {
      const lane = this.#lanes.get(key)!;
      owed ||= lane.owed !== undefined;
      if (this.#isInDoubt(lane)) {
        until = Math.max(until, lane.doubtUntil);
        doubts.push(...lane.doubts);
      }
      lane.owed = undefined;
      lane.doubts.clear();
      this.#leave(key, lane);
    }
    return { owed, doubts, until };
  }

  #leave(key: string, lane: Lane): void {
    const isTroubled = lane.owed !== undefined || this.#isInDoubt(lane);
    if (!isTroubled) this.#troubled.delete(key);
    if (isTroubled || lane.running !== undefined || lane.waiting.length > 0) return;
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
  }

  #isInDoubt({ doubts, doubtUntil }: Lane): boolean {
    return doubts.size > 0 && doubtUntil > this.#options.clock.now();
  }
}

function end(change: Write | Deletion): void {
  if (change.kind === 'write') change.done('failed');
  else for (const tell of change.done) tell(undefined);
}
