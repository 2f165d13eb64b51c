import { AssertionError, deepStrictEqual, ok } from 'node:assert';
import { isAck, type CacheLevel, type LevelEntry } from '../levels/cache-level.js';

/** A level under test, with what moves its time and invalidates its entries. */
export interface LevelSubject {
  readonly level: CacheLevel;
  /** The clock of the entries' times: that of the cache that the level would be given to. */
  now(): number;
  /** Lets time pass for the level: moves a fake clock, or waits that long. */
  advance(ms: number): Promise<void>;
  /**
   * How far from what it was given a time may come back, in milliseconds: more than 0 for a level that
   * keeps the times of another clock.
   * @default 0
   */
  readonly toleranceMs?: number;
  /** The order that an entry gets whose load begins now. A cache gives it; by default it is made up. */
  order?(): number;
  /** Invalidates tags as a cache does for this level; by default by asking the level alone. */
  invalidateTags?(tags: readonly string[]): Promise<void>;
  /** Clears a namespace, given as what its keys begin with; by default by asking the level alone. */
  clearNamespace?(prefix: string): Promise<void>;
}

/** For how long the entries of the cases live, in milliseconds. */
export const TTL_MS = 1_000;

/** An entry that is born now and lives for {@link TTL_MS}. */
export function entryAt(now: number, value: unknown, facts: Partial<LevelEntry> = {}): LevelEntry {
  return { value, bornAt: now, freshUntil: now + TTL_MS, staleUntil: now + TTL_MS, ...facts };
}

/** A subject with what the cases do with it. */
export class LevelBench {
  readonly level: CacheLevel;
  readonly #subject: LevelSubject;

  constructor(subject: LevelSubject) {
    this.#subject = subject;
    this.level = subject.level;
  }

  now(): number {
    return this.#subject.now();
  }

  advance(ms: number): Promise<void> {
    return this.#subject.advance(ms);
  }

  /** The order of an entry that is loaded now; outside this process it means nothing. */
  order(): number | undefined {
    return this.#subject.order?.() ?? (this.level.inProcess ? 1 : undefined);
  }

  entry(value: unknown, facts?: Partial<LevelEntry>): LevelEntry {
    return entryAt(this.now(), value, facts);
  }

  async write(key: string, value: unknown, facts?: Partial<LevelEntry>): Promise<LevelEntry> {
    const entry = this.entry(value, facts);
    await this.level.write(new Map([[key, entry]]));
    return entry;
  }

  /** The values that a level of the same kind has of a key, or `undefined`. */
  async valueIn(level: CacheLevel, key: string): Promise<unknown> {
    return (await level.read([key])).get(key)?.value;
  }

  async find(key: string): Promise<LevelEntry | undefined> {
    return (await this.level.read([key])).get(key);
  }

  async valueOf(key: string): Promise<unknown> {
    return (await this.find(key))?.value;
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    if (this.#subject.invalidateTags !== undefined) await this.#subject.invalidateTags(tags);
    else expectAck(await this.level.invalidateTags(tags));
  }

  async clearNamespace(prefix: string): Promise<void> {
    if (this.#subject.clearNamespace !== undefined) await this.#subject.clearNamespace(prefix);
    else expectAck(await this.level.clear(prefix));
  }

  /** Expects the level to have those of the keys, and no others. */
  async expectLeft(keys: readonly string[], left: readonly string[]): Promise<void> {
    expectSame([...(await this.level.read(keys)).keys()].toSorted(), left.toSorted());
  }

  /**
   * Expects those of the keys to be there and the others to be invalidated: gone, or, where the level
   * is in this process and only a cache can tell, with the order that they were given.
   */
  async expectValid(
    keys: readonly string[],
    valid: readonly string[],
    order: unknown,
  ): Promise<void> {
    const byCache = 'invalidateTags' in this.#subject && 'clearNamespace' in this.#subject;
    const byOrder = this.level.inProcess && !byCache;
    const found = await this.level.read(keys);
    const left = [...found].filter(
      ([key, entry]) => valid.includes(key) || !byOrder || entry.order !== order,
    );
    expectSame(left.map(([key]) => key).toSorted(), valid.toSorted());
  }

  /** Whether a time that a level has set itself is over, as well as the level can tell. */
  isPast(time: number): boolean {
    const { toleranceMs = 0 } = this.#subject;
    return time <= this.now() + toleranceMs;
  }

  /** Expects a time to have come back as it was given, as well as the level can. */
  expectTime(actual: number | undefined, given: number): void {
    const { toleranceMs = 0 } = this.#subject;
    const isNear = actual === given || Math.abs((actual ?? Number.NaN) - given) <= toleranceMs;
    ok(isNear, `A time came back as ${actual} that was given as ${given}.`);
  }
}

/** Compares contents alone: what comes from another realm, or was copied, has other prototypes. */
export function expectSame(actual: unknown, expected: unknown, message?: string): void {
  deepStrictEqual(structuredClone(actual), structuredClone(expected), message);
}

/** Expects the answer of a level to an invalidation. */
export function expectAck(ack: unknown): void {
  if (isAck(ack)) return;
  throw new AssertionError({
    message: `An invalidation must be answered with 'applied' or 'queued'.`,
    actual: ack,
    expected: 'applied',
    operator: 'expectAck',
  });
}
