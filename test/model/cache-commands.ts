import * as fc from 'fast-check';
import { show } from '../../lib/errors.js';
import type {
  EnhancedAsyncTTLCache,
  EntryOptions,
} from '../../lib/memory/enhanced-async-ttl-cache.js';
import { rejectionOf } from '../support/observed.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { NaiveCache, NaiveCounts } from './naive-cache.js';

export const DEFAULT_TTL_MS = 20;

/** The naive side of a comparison, and how strict it is. */
export interface Model {
  readonly naive: NaiveCache;
  readonly clock: VirtualClock;
  /** How many entries the cache may hold; `Infinity` asks for equality in everything. */
  readonly maxEntries: number;
}

export type Cache = EnhancedAsyncTTLCache<unknown>;
export type Command = fc.AsyncCommand<Model, Cache>;

/** Throws when two plain values differ; much faster than `expect`, which runs for every step here. */
function expectIs(what: string, got: unknown, wanted: unknown): void {
  if (!Object.is(got, wanted)) throw new Error(`${what} is ${show(got)}, not ${show(wanted)}`);
}

/** A bounded cache may have lost an entry; it may never have another one. */
function expectSame(model: Model, got: unknown, naive: unknown): void {
  if (model.maxEntries === Infinity || got !== undefined) expectIs('the answer', got, naive);
}

function expectInvariants({ naive, maxEntries }: Model, cache: Cache): void {
  const metrics = cache.getMetrics();
  expectIs('gets', metrics.gets, metrics.hits + metrics.misses);
  expectIs('the size counted', metrics.size, cache.size);
  for (const name of ['joins', 'fenced', 'lockContentions'] as const) {
    expectIs(name, metrics[name], 0);
  }
  for (const [key, value] of cache.entries()) expectIs(`entry ${key}`, value, naive.peek(key));
  if (maxEntries === Infinity) {
    for (const [key, value] of naive.entries()) expectIs(`${key} held`, cache.peek(key), value);
    for (const [name, count] of Object.entries(naive.counts)) {
      expectIs(name, metrics[name as keyof NaiveCounts], count);
    }
    expectIs('the size', cache.size, naive.size);
    expectIs('evicted', metrics.evicted, 0);
  } else {
    expectIs('a size within its bound', cache.size <= maxEntries, true);
  }
}

/** A step of a program, which compares what both sides answer and what they hold afterwards. */
function command(
  text: string,
  compare: (model: Model, cache: Cache) => Promise<void> | void,
): Command {
  return {
    check: () => true,
    async run(model, cache) {
      await compare(model, cache);
      expectInvariants(model, cache);
    },
    toString: () => text,
  };
}

const keys = fc.integer({ min: 0, max: 9 }).map((key) => `k${key}`);
const values = fc.oneof(fc.nat(1_000), fc.constant(null), fc.string({ maxLength: 2 }));
/** Few lengths of time, so that steps often fall on a deadline. */
const ttls = fc.constantFrom(undefined, 1, 5, 10, Infinity);

function optionsOf(ttl: number | undefined): EntryOptions | undefined {
  return ttl === undefined ? undefined : { ttl };
}

const set = fc.tuple(keys, values, ttls).map(([key, value, ttl]) =>
  command(`set(${key}, ${JSON.stringify(value)}, ${ttl})`, async ({ naive }, cache) => {
    const stored = cache.set(key, value, optionsOf(ttl));
    naive.set(key, value, ttl ?? DEFAULT_TTL_MS);
    expectIs('the value set', cache.peek(key), value);
    await stored;
  }),
);

const reads = keys.chain((key) =>
  fc.constantFrom(
    command(`get(${key})`, async (model, cache) => {
      expectSame(model, await cache.get(key), model.naive.read(key));
    }),
    command(`getIfPresent(${key})`, (model, cache) => {
      expectSame(model, cache.getIfPresent(key), model.naive.read(key));
    }),
    command(`peek(${key})`, (model, cache) => {
      expectSame(model, cache.peek(key), model.naive.peek(key));
    }),
    command(`has(${key})`, (model, cache) => {
      const has = cache.has(key) || undefined;
      expectSame(model, has, model.naive.peek(key) === undefined ? undefined : true);
    }),
  ),
);

const removals = keys.chain((key) =>
  fc.constantFrom(
    command(`delete(${key})`, async (model, cache) => {
      const deleted = (await cache.delete(key)) || undefined;
      expectSame(model, deleted, model.naive.delete(key) || undefined);
    }),
    command(`update(${key}, remove)`, async (model, cache) => {
      const updated = await cache.update(key, (current) => {
        expectSame(model, current, model.naive.peek(key));
        return undefined;
      });
      model.naive.drop(key);
      expectIs('the update', updated, undefined);
    }),
    command(`update(${key}, fail)`, async ({ naive }, cache) => {
      const failure = new Error('of the change');
      const error = await rejectionOf(cache.update(key, () => Promise.reject(failure)));
      expectIs('the error', error, failure);
      naive.drop(key);
    }),
  ),
);

const update = fc.tuple(keys, values, ttls).map(([key, value, ttl]) =>
  command(`update(${key}, ${JSON.stringify(value)}, ${ttl})`, async (model, cache) => {
    const updated = await cache.update(
      key,
      (current) => {
        expectSame(model, current, model.naive.peek(key));
        return value;
      },
      optionsOf(ttl),
    );
    model.naive.set(key, value, ttl ?? DEFAULT_TTL_MS);
    expectIs('the update', updated, value);
  }),
);

const getOrSet = fc.tuple(keys, values, ttls).map(([key, value, ttl]) =>
  command(`getOrSet(${key}, ${JSON.stringify(value)}, ${ttl})`, async (model, cache) => {
    const there = model.naive.read(key);
    let called = false;
    const load = (): unknown => {
      called = true;
      return value;
    };
    const got = await cache.getOrSet(key, load, optionsOf(ttl));
    if (model.maxEntries === Infinity) expectIs('loading', called, there === undefined);
    if (called) model.naive.set(key, value, ttl ?? DEFAULT_TTL_MS);
    expectIs('the value', got, called ? value : there);
  }),
);

const advance = fc.constantFrom(1, 4, 5, 10).map((ms) =>
  command(`advance(${ms})`, async ({ clock }) => {
    await clock.advance(ms);
  }),
);

const removeExpired = fc.constant(
  command('removeExpired()', async (model, cache) => {
    const removing = cache.removeExpired();
    await model.clock.turn();
    const removed = await removing;
    const naive = model.naive.removeExpired();
    expectIs('removed', Math.min(removed, naive), model.maxEntries === Infinity ? naive : removed);
  }),
);

const clear = fc.constant(
  command('clear()', async ({ naive }, cache) => {
    void cache.clear();
    expectIs('the size', cache.size, 0);
    naive.clear();
  }),
);

/** Random programs for a cache; most steps store or read. */
export const programs: fc.Arbitrary<Iterable<Command>> = fc.commands(
  [set, set, reads, reads, getOrSet, update, removals, advance, removeExpired, clear],
  { maxCommands: 40, size: 'max' },
);
