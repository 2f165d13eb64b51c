import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { observe, type Observed } from '../support/observed.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

const KEYS = 5;
const JOIN_MS = 1_000;
/** Join timeouts after which everything must have come to an end. */
const PATIENCE = 1_000;
/** Far more than any of these circles needs; one that goes on for ever gets there. */
const MAX_LOADER_CALLS = 2_000;

/** What the loader of a key does: it takes so long, then asks for these keys. */
interface Scripted {
  readonly takesMs: number;
  readonly asks: readonly number[];
  readonly how: 'each at once' | 'one by one' | 'as a batch' | 'waiting for all';
}

const script = fc.record<Scripted>({
  takesMs: fc.constantFrom(0, 0, 1, JOIN_MS / 3, JOIN_MS, 2 * JOIN_MS - 1),
  asks: fc.array(fc.nat(KEYS - 1), { maxLength: 3 }),
  how: fc.constantFrom('each at once', 'one by one', 'as a batch', 'waiting for all'),
});
const scripts = fc.array(script, { minLength: KEYS, maxLength: KEYS });
const acyclicScripts = scripts.map((drawn) =>
  drawn.map((one, key) => ({ ...one, asks: one.asks.filter((asked) => asked > key) })),
);
/** Who asks for which key, and how long after the one before. */
const callers = fc.array(fc.tuple(fc.nat(KEYS - 1), fc.nat(2 * JOIN_MS)), {
  minLength: 1,
  maxLength: 5,
});
const limits = fc.constantFrom(1, 2, 3, KEYS, Infinity);

interface Run {
  readonly seen: Observed<string>[];
  readonly loaderCalls: number;
}

class Circles {
  readonly clock = new VirtualClock(settleMicrotasks);
  readonly cache: CacheHierarchy;
  loaderCalls = 0;
  readonly #scripts: readonly Scripted[];
  #asleep = 0;

  constructor(scripted: readonly Scripted[], maxConcurrentLoads: number) {
    this.#scripts = scripted;
    this.cache = new CacheHierarchy({
      clock: this.clock,
      joinTimeout: JOIN_MS,
      maxConcurrentLoads,
    });
  }

  /** Whether something is under way, or a loader sleeps that nobody waits for any more. */
  get isBusy(): boolean {
    return this.#asleep > 0 || this.cache.getMetrics().inFlight > 0;
  }

  ask(key: number): Promise<string> {
    return this.cache.getOrSet(`${key}`, () => this.#load(key));
  }

  async #load(key: number): Promise<string> {
    this.loaderCalls += 1;
    // Ends what goes on for ever: the test has failed then.
    if (this.loaderCalls > MAX_LOADER_CALLS) return new Promise(() => {});
    const { takesMs, asks, how } = this.#scripts[key]!;
    await this.#sleep(takesMs);
    if (how === 'one by one') for (const asked of asks) await this.ask(asked);
    else if (how === 'as a batch') await this.#askForAll(asks);
    else if (how === 'each at once') await Promise.all(asks.map((asked) => this.ask(asked)));
    else await this.#waitForAll(asks);
    return `value ${key}`;
  }

  async #waitForAll(keys: readonly number[]): Promise<void> {
    const answers = await Promise.allSettled(keys.map((key) => this.ask(key)));
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  }

  #askForAll(keys: readonly number[]): Promise<Map<string, string>> {
    return this.cache.getOrSetMany(keys.map(String), async (missing) => {
      const rows = missing.map(async (key) => [key, await this.#load(Number(key))] as const);
      return new Map(await Promise.all(rows));
    });
  }

  async #sleep(ms: number): Promise<void> {
    this.#asleep += 1;
    await new Promise<void>((resolve) => void this.clock.setTimer(resolve, ms));
    this.#asleep -= 1;
  }
}

async function runToTheEnd(
  scripted: readonly Scripted[],
  calls: readonly (readonly [key: number, afterMs: number])[],
  limit: number,
): Promise<Run> {
  const circles = new Circles(scripted, limit);
  const { cache, clock } = circles;
  const seen: Observed<string>[] = [];
  for (const [key, afterMs] of calls) {
    await clock.advance(afterMs);
    seen.push(observe(circles.ask(key)));
  }
  for (let wait = 0; wait < PATIENCE && circles.isBusy; wait++) await clock.advance(JOIN_MS);

  const { inFlight, waitingLoads } = cache.getMetrics();
  await cache.close();
  expect({ inFlight, waitingLoads }).toEqual({ inFlight: 0, waitingLoads: 0 });
  return { seen, loaderCalls: circles.loaderCalls };
}

describe(`${CacheHierarchy.name}: loaders that ask for several keys`, () => {
  it('come to an end whatever the limit, in circles, too', async () => {
    const ended = fc.assert(
      fc.asyncProperty(scripts, callers, limits, async (scripted, calls, limit) => {
        const { seen, loaderCalls } = await runToTheEnd(scripted, calls, limit);

        expect(seen.filter(({ state }) => state === 'pending')).toEqual([]);
        expect(loaderCalls).toBeLessThan(MAX_LOADER_CALLS);
      }),
      { numRuns: 150 },
    );

    await expect(ended).resolves.toBeUndefined();
  });

  it('deliver to everybody whatever the limit, where no key waits for itself', async () => {
    const delivered = fc.assert(
      fc.asyncProperty(acyclicScripts, callers, limits, async (scripted, calls, limit) => {
        const { seen } = await runToTheEnd(scripted, calls, limit);

        expect(seen.map(({ value }) => value)).toEqual(calls.map(([key]) => `value ${key}`));
      }),
      { numRuns: 150 },
    );

    await expect(delivered).resolves.toBeUndefined();
  });
});
