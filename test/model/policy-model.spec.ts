import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import { HierarchyCore } from '../../lib/hierarchy/hierarchy-core.js';
import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import { StaleAnswers } from '../../lib/hierarchy/stale-answers.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** What a loader does. */
type Outcome = 'value' | 'null' | 'nothing' | 'error' | 'same' | 'skip' | 'short';

/** The policy of one call, in milliseconds; 0 is off. */
interface Said {
  readonly ttl: number;
  readonly grace: number;
  readonly throttle: number;
  readonly negativeTtl: number;
  readonly eager: number;
  readonly force: boolean;
  readonly tags: readonly string[];
}

interface Row {
  readonly value: unknown;
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly refreshAt: number;
  readonly retryAt: number;
  readonly tags: readonly string[];
}

const SHORT_MS = 3;
const FAILED = 'failed';

/** The whole policy in its plainest form: one map, no levels, no tickets. */
class NaivePolicy {
  readonly #rows = new Map<string, Row>();
  now = 0;
  loads = 0;

  peek(key: string): unknown {
    const row = this.#row(key);
    return row !== undefined && row.freshUntil > this.now ? row.value : undefined;
  }

  set(key: string, value: unknown, said: Said): void {
    this.#store(key, value, said, said.ttl, said.tags);
  }

  delete(key: string): boolean {
    const existed = this.peek(key) !== undefined;
    this.#rows.delete(key);
    return existed;
  }

  expire(key: string): boolean {
    const existed = this.peek(key) !== undefined;
    const row = this.#row(key);
    if (row === undefined) return false;
    if (row.staleUntil === row.freshUntil) this.#rows.delete(key);
    else this.#rows.set(key, { ...row, freshUntil: -Infinity, refreshAt: Infinity, retryAt: 0 });
    return existed;
  }

  invalidate(tag: string): void {
    for (const [key, { tags }] of this.#rows) if (tags.includes(tag)) this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }

  getOrSet(key: string, value: unknown, outcome: Outcome, said: Said): unknown {
    const fresh = this.peek(key);
    const row = this.#row(key);
    if (fresh !== undefined && row !== undefined && !said.force) {
      if (said.eager === 0 || row.refreshAt > this.now) return fresh;
      this.#rows.set(key, { ...row, refreshAt: Infinity });
      this.#load(key, value, outcome, said);
      return fresh;
    }
    const stale = fresh === undefined ? row : undefined;
    if (!said.force && said.throttle > 0 && stale !== undefined && stale.retryAt > this.now)
      return stale.value;
    const loaded = this.#load(key, value, outcome, said);
    if (loaded !== FAILED || stale === undefined) return loaded;
    if (said.throttle > 0) this.#rows.set(key, { ...stale, retryAt: this.now + said.throttle });
    return stale.value;
  }

  #load(key: string, value: unknown, outcome: Outcome, said: Said): unknown {
    this.loads += 1;
    const before = this.#row(key);
    if (outcome === 'error' || (outcome === 'same' && before === undefined)) return FAILED;
    if (outcome === 'nothing') return undefined;
    if (outcome === 'skip') return value;
    const loaded = outcome === 'null' ? null : outcome === 'same' ? before!.value : value;
    const tags = outcome === 'same' ? [...said.tags, ...before!.tags] : said.tags;
    const isNegative = loaded === null && said.negativeTtl > 0;
    const ttl = outcome === 'short' ? SHORT_MS : isNegative ? said.negativeTtl : said.ttl;
    this.#store(key, loaded, said, ttl, tags);
    return loaded;
  }

  #store(key: string, value: unknown, said: Said, ttl: number, tags: readonly string[]): void {
    const freshUntil = this.now + ttl;
    const staleUntil = freshUntil + said.grace;
    const refreshAt = said.eager === 0 ? Infinity : this.now + said.eager * ttl;
    this.#rows.set(key, { value, freshUntil, staleUntil, refreshAt, retryAt: 0, tags });
  }

  #row(key: string): Row | undefined {
    const row = this.#rows.get(key);
    return row !== undefined && row.staleUntil > this.now ? row : undefined;
  }
}

interface Shape {
  readonly levels: 1 | 2;
  /** Whatever it is, nothing that is compared may differ: it moves copies only. */
  readonly slide: boolean;
}

/** A hierarchy beside the naive policy. */
class Comparison {
  readonly clock = new VirtualClock(settleMicrotasks);
  readonly cache: CacheHierarchy;
  readonly naive = new NaivePolicy();
  #value = 0;

  constructor({ levels, slide }: Shape) {
    const shape = levels === 1 ? ({ l2: false } as const) : { l1: { ttl: 15 }, slide };
    this.cache = new CacheHierarchy({ clock: this.clock, ...shape, ttl: 100 });
  }

  async getOrSet(key: string, outcome: Outcome, said: Said): Promise<void> {
    const value = `value ${++this.#value}`;
    const options = { ...optionsOf(said), forceRefresh: said.force };
    const loader = loaderOf(outcome, value);
    const got = await this.cache.getOrSet<unknown>(key, loader, options).catch(() => FAILED);
    await settleMicrotasks();
    this.#expect(`getOrSet ${key}`, got, this.naive.getOrSet(key, value, outcome, said));
  }

  async set(key: string, said: Said): Promise<void> {
    const { throttle: _, ...options } = optionsOf(said);
    const value = `value ${++this.#value}`;
    await this.cache.set(key, value, options);
    this.naive.set(key, value, said);
  }

  async delete(key: string): Promise<void> {
    this.#expect(`delete ${key}`, await this.cache.delete(key), this.naive.delete(key));
  }

  async expire(key: string): Promise<void> {
    this.#expect(`expire ${key}`, await this.cache.expire(key), this.naive.expire(key));
  }

  async invalidate(tag: string): Promise<void> {
    await this.cache.invalidateTags(tag);
    this.naive.invalidate(tag);
  }

  async clear(): Promise<void> {
    await this.cache.clear();
    this.naive.clear();
  }

  async wait(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.naive.now += ms;
  }

  async sweep(): Promise<void> {
    const swept = this.cache.removeExpired();
    await this.clock.turn();
    await swept;
  }

  check(): void {
    for (const key of KEYS) this.#expect(`peek ${key}`, this.cache.peek(key), this.naive.peek(key));
    const { gets, hits, misses, loads } = this.cache.getMetrics();
    this.#expect('gets', gets, hits + misses);
    this.#expect('loads', loads, this.naive.loads);
  }

  #expect(what: string, got: unknown, wanted: unknown): void {
    if (!Object.is(got, wanted)) throw new Error(`${what}: ${String(got)}, not ${String(wanted)}`);
  }
}

function optionsOf({ ttl, grace, throttle, negativeTtl, eager, tags }: Said): LoadOptions {
  return {
    ttl,
    tags,
    grace: grace || false,
    throttle: throttle || false,
    negativeTtl: negativeTtl || false,
    eager: eager || false,
  };
}

function loaderOf(outcome: Outcome, value: string): (context: LoadContext) => Promise<unknown> {
  return async ({ ttl, skip, notModified }) => {
    if (outcome === 'error') throw new Error('the source is away');
    if (outcome === 'nothing') return undefined;
    if (outcome === 'same') return notModified();
    if (outcome === 'skip') skip();
    if (outcome === 'short') ttl(SHORT_MS);
    return outcome === 'null' ? null : value;
  };
}

const KEYS = ['a', 'b'];
const TAGS = ['red', 'blue'];

interface Step {
  run(both: Comparison): Promise<void>;
  toString(): string;
}

function step(text: string, run: (both: Comparison) => Promise<void>): Step {
  return { run, toString: () => text };
}

const keys = fc.constantFrom(...KEYS);
const said: fc.Arbitrary<Said> = fc.record({
  ttl: fc.constantFrom(10, 40),
  grace: fc.constantFrom(0, 0, 30, 200),
  throttle: fc.constantFrom(0, 0, 25),
  negativeTtl: fc.constantFrom(0, 5),
  eager: fc.constantFrom(0, 0, 0.5),
  force: fc.nat(7).map((chance) => chance === 0),
  tags: fc.subarray(TAGS),
});
const outcomes = fc.constantFrom<Outcome[]>(
  'value',
  'value',
  'error',
  'error',
  'null',
  'nothing',
  'same',
  'skip',
  'short',
);
const steps = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .tuple(keys, outcomes, said)
      .map(([key, outcome, policy]) =>
        step(`getOrSet ${key} ${outcome} ${JSON.stringify(policy)}`, (both) =>
          both.getOrSet(key, outcome, policy),
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(keys, said)
      .map(([key, policy]) =>
        step(`set ${key} ${JSON.stringify(policy)}`, (both) => both.set(key, policy)),
      ),
  },
  { weight: 1, arbitrary: keys.map((key) => step(`delete ${key}`, (both) => both.delete(key))) },
  { weight: 2, arbitrary: keys.map((key) => step(`expire ${key}`, (both) => both.expire(key))) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...TAGS)
      .map((tag) => step(`invalidate ${tag}`, (both) => both.invalidate(tag))),
  },
  { weight: 1, arbitrary: fc.constant(step('clear', (both) => both.clear())) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(1, 5, 14, 25, 60)
      .map((ms) => step(`wait ${ms}`, (both) => both.wait(ms))),
  },
  { weight: 1, arbitrary: fc.constant(step('sweep', (both) => both.sweep())) },
);

function agrees(shape: Shape): fc.IAsyncProperty<[Step[]]> {
  return fc.asyncProperty(
    fc.array(steps, { maxLength: 60, size: 'max' }),
    async (program: Step[]) => {
      const both = new Comparison(shape);
      try {
        for (const each of program) {
          await each.run(both);
          both.check();
        }
      } finally {
        await both.cache.close();
      }
      expect(both.clock.pending).toBe(0);
    },
  );
}

describe(`${CacheHierarchy.name}: random programs over the whole policy`, () => {
  it.each<[string, Shape]>([
    ['one level', { levels: 1, slide: false }],
    ['two levels', { levels: 2, slide: false }],
    ['copies that slide', { levels: 2, slide: true }],
  ])('do what a plain map does, with %s', async (_, shape) => {
    await expect(fc.assert(agrees(shape), { numRuns: 500 })).resolves.toBeUndefined();
  });
});

describe(`${CacheHierarchy.name}: random programs (test of the test)`, () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each<[string, () => unknown]>([
    [
      'expire does nothing',
      () =>
        jest
          .spyOn(HierarchyCore.prototype, 'expire')
          .mockReturnValue({ existed: true, below: undefined }),
    ],
    [
      'hits are never refreshed',
      () => jest.spyOn(HierarchyCore.prototype, 'refreshIfDue').mockImplementation(() => {}),
    ],
    [
      'stale values are never returned',
      () => jest.spyOn(StaleAnswers.prototype, 'forCallers').mockReturnValue(undefined),
    ],
    [
      'a failure is not remembered',
      () => jest.spyOn(StaleAnswers.prototype, 'throttle').mockImplementation(() => {}),
    ],
    [
      'what is expired is not kept',
      () => jest.spyOn(StaleAnswers.prototype, 'keep').mockImplementation(() => {}),
    ],
  ])('find a cache in which %s', async (_, breakIt) => {
    breakIt();

    const two = { levels: 2, slide: false } as const;
    const { failed } = await fc.check(agrees(two), { numRuns: 300, seed: 1, endOnFailure: true });

    expect(failed).toBe(true);
  });
});
