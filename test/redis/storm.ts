import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { LoopWatch } from './loop-watch.js';
import { until } from './until.js';

/** A call of a cache that has settled. */
interface Operation {
  readonly name: string;
  /** When it was called, and when it had settled. */
  readonly from: number;
  readonly to: number;
  /** Without the time that nothing could run in this process. */
  readonly ownMs: number;
}

/** What callers call of a cache: a plain one can do that, too. */
interface Stormed {
  getOrSet(key: string, load: () => Promise<number> | number): Promise<number>;
  set(key: string, value: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

const KEYS = Array.from({ length: 40 }, (_, id) => `row:${id}`);
const CALLERS = 8;

/**
 * Callers that read, change and invalidate the rows of a database through caches that share a Redis. Rows
 * are numbered by their changes; only the first cache changes them, so it must never return an older one
 * than it has invalidated.
 */
export class Storm {
  readonly operations: Operation[] = [];
  /** What failed: no call of a cache may. A rejection that nobody handles fails the test by itself. */
  readonly errors: unknown[] = [];
  /** Reads of the first cache that were older than what it had invalidated before. */
  readonly stale: string[] = [];
  readonly #caches: readonly Stormed[];
  readonly #rows = new Map(KEYS.map((key) => [key, 0]));
  readonly #invalidated = new Map(KEYS.map((key) => [key, 0]));
  readonly #watch = new LoopWatch();
  #running = true;
  readonly #callers: Promise<void>[];

  constructor(caches: readonly Stormed[]) {
    this.#caches = caches;
    this.#callers = Array.from({ length: CALLERS }, (_, number) => this.#call(number));
  }

  /** Ends it when every call has settled. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
    this.#watch.stop();
  }

  /** Waits until all caches know that they know everything, and owe nothing; a plain one knows nothing. */
  calm(patienceMs = 10_000): Promise<void> {
    const caches = this.#caches.filter((cache) => cache instanceof CacheHierarchy);
    const isCalm = (cache: CacheHierarchy): boolean => {
      const { coherence, lower } = cache.getMetrics();
      return coherence?.proven === true && lower.remote?.unconfirmed === 0 && !lower.remote.down;
    };
    return until(
      `nothing is owed and copies are proven`,
      async () => {
        // A call shows that Redis is there again.
        await Promise.all(caches.map((cache) => cache.get('nothing')));
        return caches.every(isCalm);
      },
      patienceMs,
    );
  }

  /** Waits until all caches give the rows as they are: a message that was lost is missed for two seconds. */
  current(patienceMs = 4_000): Promise<void> {
    return until(
      `all rows are read as they are`,
      async () => (await this.old()).length === 0,
      patienceMs,
    );
  }

  /**
   * The calls that took longer than a level may, or twice that where a load has waited for another cache's first;
   * and by more than `slackMs`.
   */
  late(levelTimeoutMs: number, slackMs: number): Operation[] {
    return this.operations.filter(({ name, ownMs }) => {
      const deadlines = name === 'getOrSet' ? 2 : 1;
      return ownMs > deadlines * levelTimeoutMs + slackMs;
    });
  }

  /** By what was called, how many milliseconds the slowest call took. */
  slowest(): Record<string, number> {
    const slowest: Record<string, number> = {};
    for (const { name, ownMs } of this.operations)
      slowest[name] = Math.max(slowest[name] ?? 0, Math.round(ownMs));
    return slowest;
  }

  /** Reads all rows through all caches; tells which are old. */
  async old(): Promise<string[]> {
    const old: string[] = [];
    for (const [number, cache] of this.#caches.entries()) {
      for (const [key, row] of this.#rows) {
        const read = await cache.getOrSet(key, () => row);
        if (read !== row)
          old.push(`cache ${number} has change ${read} of ${key}, which is at ${row}`);
      }
    }
    return old;
  }

  async #call(number: number): Promise<void> {
    const cache = this.#caches[number % this.#caches.length]!;
    while (this.#running) {
      const key = KEYS[Math.floor(Math.random() * KEYS.length)]!;
      const isFirst = cache === this.#caches[0];
      if (isFirst && Math.random() < 0.2) await this.#change(cache, key);
      else await this.#read(cache, key, isFirst);
      await pause(Math.random() * 4);
    }
  }

  async #read(cache: Stormed, key: string, isFirst: boolean): Promise<void> {
    const newest = this.#invalidated.get(key)!;
    const load = async (): Promise<number> => {
      const row = this.#rows.get(key)!;
      await pause(Math.random() * 4);
      return row;
    };
    const read = await this.#time('getOrSet', () => cache.getOrSet(key, load));
    if (isFirst && read !== undefined && read < newest)
      this.stale.push(`change ${read} of ${key} after ${newest} was invalidated`);
  }

  async #change(cache: Stormed, key: string): Promise<void> {
    const row = this.#rows.get(key)! + 1;
    this.#rows.set(key, row);
    if (Math.random() < 0.5) await this.#time('delete', () => cache.delete(key));
    else await this.#time('set', () => cache.set(key, row));
    this.#invalidated.set(key, Math.max(row, this.#invalidated.get(key)!));
  }

  async #time<T>(name: string, run: () => Promise<T>): Promise<T | undefined> {
    const from = performance.now();
    try {
      return await run();
    } catch (error) {
      this.errors.push(error);
      return undefined;
    } finally {
      const to = performance.now();
      const ownMs = to - from - this.#watch.lateBetween(from, to);
      this.operations.push({ name, from, to, ownMs });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
