import * as fc from 'fast-check';
import { show } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import { messagePack } from '../../lib/redis/codec.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { DirectServer } from '../support/direct-server.js';
import { SkewedClock } from '../support/skewed-clock.js';
import { settleMicrotasks, type VirtualClock } from '../support/virtual-clock.js';
import { NaiveFleet } from './naive-fleet.js';

const PROCESSES = ['A', 'B', 'C'] as const;
const NAMES = ['', 'places'];
const KEYS = ['k0', 'k1', 'k2', 'k3'];
const TAGS = ['red', 'blue'];
const DEFAULT_TTL_MS = 3_600_000;

type Process = (typeof PROCESSES)[number];

/** The processes of a fleet over one server that loses nothing, each with a clock of its own. */
export class Fleet {
  readonly caches: ReadonlyMap<Process, CacheHierarchy>;

  constructor(clock: VirtualClock) {
    const server = new DirectServer(clock);
    const shapes = {
      A: { byMs: 0, maxEntries: 100, l2: false },
      B: { byMs: 500_000, maxEntries: 3, l2: false },
      C: { byMs: -700_000, maxEntries: 2, l2: true },
    };
    this.caches = new Map(
      PROCESSES.map((source) => {
        const { byMs, maxEntries, l2 } = shapes[source];
        const own = new SkewedClock(clock, byMs);
        const remote = new RedisLevel(
          {
            driver: new RedisDriver(server.connect, own),
            codec: messagePack(),
            clock: own,
            prefix: 'fleet',
            source,
            maxStaleMs: 5_000,
            leaseMs: 10_000,
          },
          'default',
        );
        const memory = { maxEntries, ttl: DEFAULT_TTL_MS, seed: 1 };
        const options = { clock: own, remote, ttl: DEFAULT_TTL_MS, report: () => {}, l1: memory };
        return [source, new CacheHierarchy({ ...options, l2: l2 && { ...memory, maxEntries: 4 } })];
      }),
    );
  }

  cacheOf(process: Process): CacheHierarchy {
    return this.caches.get(process)!;
  }

  async close(): Promise<void> {
    for (const cache of this.caches.values()) await cache.close();
  }
}

/** The naive side of a comparison. */
export interface FleetModel {
  readonly naive: NaiveFleet;
  readonly clock: VirtualClock;
}

export type FleetCommand = fc.AsyncCommand<FleetModel, Fleet>;

/** Where something is done: in a process, in a namespace or in none. */
interface Place {
  readonly process: Process;
  readonly name: string;
}

/** Throws when two plain values differ. */
function expectIs(what: string, got: unknown, wanted: unknown): void {
  if (!Object.is(got, wanted)) throw new Error(`${what} is ${show(got)}, not ${show(wanted)}`);
}

function viewOf(fleet: Fleet, { process, name }: Place): CacheView {
  const cache = fleet.cacheOf(process);
  return name === '' ? cache : cache.namespace(name);
}

function pathOf(name: string, key: string): string {
  return `${name}/${key}`;
}

/** What a process has in its memory must be what all have; it need not have everything. */
function expectCopies({ naive }: FleetModel, fleet: Fleet): void {
  for (const [process, cache] of fleet.caches) {
    for (const name of NAMES) {
      for (const key of KEYS) {
        const copy = viewOf(fleet, { process, name }).peek(key);
        const path = pathOf(name, key);
        if (copy !== undefined) expectIs(`${path} in ${process}`, copy, naive.get(path));
      }
    }
    const { gets, hits, misses, fenced, lower } = cache.getMetrics();
    expectIs('gets', gets, hits + misses);
    expectIs('fenced', fenced, 0);
    expectIs('failures', lower.remote!.failures, 0);
  }
}

/** A step of a program: what it answers, and what every process has when all messages have come. */
function command(
  text: string,
  compare: (model: FleetModel, fleet: Fleet) => Promise<void>,
): FleetCommand {
  return {
    check: () => true,
    async run(model, fleet) {
      await compare(model, fleet);
      await settleMicrotasks();
      expectCopies(model, fleet);
    },
    toString: () => text,
  };
}

const places = fc.record({
  process: fc.constantFrom(...PROCESSES),
  name: fc.constantFrom(...NAMES),
});
const keys = fc.constantFrom(...KEYS);
const values = fc.oneof(fc.nat(1_000), fc.constant(null), fc.string({ maxLength: 2 }));
/** No step falls on a deadline: servers keep them in whole milliseconds. */
const lifetimes = fc.record({
  ttl: fc.constantFrom(DEFAULT_TTL_MS, 1_500, 3_500),
  tags: fc.subarray(TAGS),
});
const said = fc.tuple(places, keys, values, lifetimes);

function textOf({ process, name }: Place, call: string): string {
  return `${process}: ${name}/${call}`;
}

const set = said.map(([place, key, value, options]) =>
  command(
    textOf(place, `set(${key}, ${show(value)}, ${JSON.stringify(options)})`),
    async (model, fleet) => {
      await viewOf(fleet, place).set(key, value, options);
      model.naive.set(pathOf(place.name, key), value, options);
    },
  ),
);

const get = fc.tuple(places, keys).map(([place, key]) =>
  command(textOf(place, `get(${key})`), async ({ naive }, fleet) => {
    expectIs('the answer', await viewOf(fleet, place).get(key), naive.get(pathOf(place.name, key)));
  }),
);

const getOrSet = said.map(([place, key, value, options]) =>
  command(
    textOf(place, `getOrSet(${key}, ${show(value)}, ${JSON.stringify(options)})`),
    async ({ naive }, fleet) => {
      const path = pathOf(place.name, key);
      const there = naive.get(path);
      let called = false;
      const load = (): unknown => {
        called = true;
        return value;
      };
      const got = await viewOf(fleet, place).getOrSet(key, load, options);
      expectIs('whether it was loaded', called, there === undefined);
      if (called) naive.set(path, value, options);
      expectIs('the value', got, called ? value : there);
    },
  ),
);

const update = said.map(([place, key, value, options]) =>
  command(
    textOf(place, `update(${key}, ${show(value)}, ${JSON.stringify(options)})`),
    async ({ naive }, fleet) => {
      const path = pathOf(place.name, key);
      let before: unknown;
      const change = (current: unknown): unknown => {
        before = current;
        return value;
      };
      expectIs('the update', await viewOf(fleet, place).update(key, change, options), value);
      expectIs('what was there', before, naive.get(path));
      naive.set(path, value, options);
    },
  ),
);

const many = fc.tuple(
  places,
  fc.uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key }),
  lifetimes,
);

const getMany = places.map((place) =>
  command(textOf(place, 'getMany()'), async ({ naive }, fleet) => {
    const found = await viewOf(fleet, place).getMany(KEYS);
    for (const key of KEYS) expectIs(key, found.get(key), naive.get(pathOf(place.name, key)));
  }),
);

const setMany = many.map(([place, entries, options]) =>
  command(
    textOf(place, `setMany(${JSON.stringify(entries)}, ${JSON.stringify(options)})`),
    async ({ naive }, fleet) => {
      await viewOf(fleet, place).setMany(entries, options);
      for (const [key, value] of entries) naive.set(pathOf(place.name, key), value, options);
    },
  ),
);

const getOrSetMany = many.map(([place, entries, options]) =>
  command(
    textOf(place, `getOrSetMany(${JSON.stringify(entries)}, ${JSON.stringify(options)})`),
    async ({ naive }, fleet) => {
      const asked = entries.map(([key]) => key);
      const absent = asked.filter((key) => naive.get(pathOf(place.name, key)) === undefined);
      let loaded: readonly string[] = [];
      const brings = new Map<string, unknown>(entries);
      const load = async (missing: readonly string[]): Promise<Map<string, unknown>> => {
        loaded = missing;
        return new Map(missing.map((key) => [key, brings.get(key)]));
      };
      const found = await viewOf(fleet, place).getOrSetMany(asked, load, options);
      expectIs('what was loaded', loaded.toSorted().join(), absent.toSorted().join());
      for (const key of absent) naive.set(pathOf(place.name, key), brings.get(key), options);
      for (const key of asked) expectIs(key, found.get(key), naive.get(pathOf(place.name, key)));
    },
  ),
);

const removals = fc.tuple(places, keys, fc.constantFrom(...TAGS)).chain(([place, key, tag]) =>
  fc.constantFrom(
    command(textOf(place, `delete(${key})`), async ({ naive }, fleet) => {
      await viewOf(fleet, place).delete(key);
      naive.delete(pathOf(place.name, key));
    }),
    command(textOf(place, `expire(${key})`), async ({ naive }, fleet) => {
      await viewOf(fleet, place).expire(key);
      naive.delete(pathOf(place.name, key));
    }),
    command(textOf(place, `invalidateTags(${tag})`), async ({ naive }, fleet) => {
      await fleet.cacheOf(place.process).invalidateTags(tag);
      naive.invalidateTag(tag);
    }),
    command(textOf(place, 'clear()'), async ({ naive }, fleet) => {
      await viewOf(fleet, place).clear();
      naive.clear(place.name === '' ? '' : `${place.name}/`);
    }),
  ),
);

const advance = fc.constantFrom(1_000, 2_000, 20_000).map((ms) =>
  command(`advance(${ms})`, async ({ clock }) => {
    await clock.advance(ms);
  }),
);

/** Random programs for a fleet, one step after the other; most store or read. */
export const programsOfFleet: fc.Arbitrary<Iterable<FleetCommand>> = fc.commands(
  [
    set,
    get,
    get,
    getOrSet,
    getOrSet,
    update,
    getMany,
    setMany,
    getOrSetMany,
    removals,
    removals,
    advance,
  ],
  { maxCommands: 40, size: 'max' },
);
