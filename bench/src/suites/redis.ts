import type { Case, Sample, Subject, Suite } from '../harness/suite.js';
import { median } from '../harness/statistics.js';
import { timePerOperation } from '../harness/timing.js';
import { RedisProcess } from '../redis/redis-process.js';
import {
  openBentocache,
  openCacheable,
  openOurs,
  openPlain,
  profileOf,
  type OpenShared,
  type SharedCache,
} from '../redis/shared-caches.js';
import { heldKeys } from '../workload.js';

const GET = 'ioredis GET';
const SET = 'ioredis SET PX';
const PLAIN = 'ioredis GET, JSON.parse';
const OURS = 'CacheHierarchy over redisLevel';
const ALONE = 'L1 alone';

const KEYS = 2_000;
const TTL_MS = 600_000;
const PAYLOAD = 'x'.repeat(100);

const SHARED_ENTRIES = 40_000;
const CALLERS = 50;
const L1_KEYS = 10_000;
const L1_READS = 500_000;
const IN_MEMORY = { ttl: TTL_MS, l1: { ttl: TTL_MS, maxEntries: 2 * L1_KEYS }, l2: false } as const;
const LEVEL_TIMEOUT_MS = 250;
const OPERATIONS = 30;

/** What the level in Redis costs beside the plain client, and other caches with the same server. */
export const redis: Suite = {
  name: 'redis',
  cases: [
    levelHit(1),
    levelHit(CALLERS),
    fencedSet(),
    sharedHits(),
    coherenceCheck(),
    stoppedServer(),
  ],
};

/** Reads of the level, by one caller or by many, beside the client's own command. */
function levelHit(callers: number): Case {
  const count = async (keys: readonly string[], read: (key: string) => Promise<number>) => {
    let sum = 0;
    await byCallers(callers, keys, async (key) => {
      const found = await read(key);
      sum += found;
    });
    return sum;
  };
  return {
    name: `level hit, 100 bytes, ${callers === 1 ? 'one after another' : `${callers} callers`}`,
    unit: 'ns/op',
    against: [GET],
    subjects: {
      'redisLevel read': withLevel(async (level) => {
        const keys = heldKeys(KEYS);
        await level.write(new Map(keys.map((key) => [key, entryOf(PAYLOAD)])));
        return timePerOperation(KEYS, () =>
          count(keys, async (key) => (await level.read([key])).size),
        );
      }),
      [GET]: withServer(async ({ client }) => {
        const keys = heldKeys(KEYS);
        for (const key of keys) await client.set(key, PAYLOAD);
        return timePerOperation(KEYS, () =>
          count(keys, async (key) => ((await client.getBuffer(key)) === null ? 0 : 1)),
        );
      }),
    },
  };
}

/** One write after another: by a `set`, and of what was loaded with a lease, which was taken before. */
function fencedSet(): Case {
  return {
    name: 'write, 100 bytes, one after another',
    unit: 'ns/op',
    against: [SET],
    subjects: {
      'redisLevel write': withLevel((level) => {
        const keys = heldKeys(KEYS);
        return timePerOperation(KEYS, () =>
          sumOf(keys, async (key) => {
            const written = await level.write(new Map([[key, entryOf(PAYLOAD)]]));
            return written.get(key) === 'stored' ? 1 : 0;
          }),
        );
      }),
      'redisLevel write with a lease': withLevel(async (level) => {
        const keys = heldKeys(KEYS);
        const figures: number[] = [];
        let checksum = 0;
        while (figures.length < 10) {
          const tokens = new Map<string, string>();
          for (const key of keys) {
            const lease = await level.lease(key, { force: true });
            if (lease.state === 'load') tokens.set(key, lease.token);
          }
          const startedAt = performance.now();
          checksum = await sumOf(keys, async (key) => {
            const token = new Map([[key, tokens.get(key)!]]);
            const written = await level.write(new Map([[key, entryOf(PAYLOAD)]]), token);
            return written.get(key) === 'stored' ? 1 : 0;
          });
          figures.push(((performance.now() - startedAt) * 1e6) / KEYS);
        }
        // The first ones were there for the compiler.
        return { value: median(figures.slice(3)), checksum };
      }),
      [SET]: withServer(({ client }) => {
        const keys = heldKeys(KEYS);
        return timePerOperation(KEYS, () =>
          sumOf(keys, async (key) =>
            (await client.set(key, PAYLOAD, 'PX', TTL_MS)) === 'OK' ? 1 : 0,
          ),
        );
      }),
    },
  };
}

/** Keys that another process has stored, each asked for once, so that none is in memory. */
function sharedHits(): Case {
  const subject = (open: OpenShared): Subject =>
    withServer(async ({ client }) => {
      const [writer, reader] = [await open(client), await open(client)];
      const keys = heldKeys(SHARED_ENTRIES);
      await byCallers(CALLERS, keys, (key, id) => writer.set(key, profileOf(id)));
      // What the writer has told the reader is to be heard before the clock starts.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const half = keys.length / 2;
      await idsOf(reader, keys.slice(0, half));
      const startedAt = performance.now();
      const checksum = await idsOf(reader, keys.slice(half));
      const seconds = (performance.now() - startedAt) / 1_000;
      await Promise.all([writer.close(), reader.close()]);
      return { value: half / seconds, checksum };
    });
  return {
    name: `hits in the shared level, ${CALLERS} callers`,
    unit: 'ops/s',
    against: [PLAIN],
    subjects: {
      [OURS]: subject(openOurs),
      bentocache: subject(openBentocache),
      cacheable: subject(openCacheable),
      [PLAIN]: subject(openPlain),
    },
  };
}

async function hits(cache: { get(key: string): Promise<number | undefined> }): Promise<Sample> {
  const keys = heldKeys(L1_KEYS);
  return timePerOperation(L1_READS, async () => {
    let sum = 0;
    for (let read = 0; read < L1_READS; read++)
      sum += (await cache.get(keys[(read * 7_919) % L1_KEYS]!)) ?? 0;
    return sum;
  });
}

function hitsOver(prepare: (server: RedisProcess) => void): Subject {
  return withServer(async (server) => {
    const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
    const { redisLevel } = await import('nestjs-cache-hierarchy/redis');
    const remote = redisLevel({ client: server.client });
    await using cache = closing(new CacheHierarchy({ ...IN_MEMORY, remote }));
    while (cache.getMetrics().coherence?.proven !== true)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await cache.setMany(heldKeys(L1_KEYS).map((key, id) => [key, id]));
    prepare(server);
    return hits(cache);
  });
}

/** What it costs a hit in memory to know whether other processes have changed it. */
function coherenceCheck(): Case {
  return {
    name: 'awaited L1 hit',
    unit: 'ns/op',
    against: [ALONE],
    subjects: {
      'L1 over a level that is followed': hitsOver(() => {}),
      'L1 over a level whose server was stopped': hitsOver((server) => server.suspend()),
      [ALONE]: async () => {
        const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
        await using cache = closing(new CacheHierarchy(IN_MEMORY));
        await cache.setMany(heldKeys(L1_KEYS).map((key, id) => [key, id]));
        return hits(cache);
      },
    },
  };
}

/** Nobody waits for a server that does not answer longer than `levelTimeout` for each call of the level. */
function stoppedServer(): Case {
  return {
    name: `slowest getOrSet with the server stopped, levelTimeout ${LEVEL_TIMEOUT_MS} ms`,
    unit: 'ms',
    beside: { 'slowest set': 'ms', 'slowest delete': 'ms', 'slowest get': 'ms' },
    against: [OURS],
    subjects: {
      [OURS]: withServer(async (server) => {
        const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
        const { redisLevel } = await import('nestjs-cache-hierarchy/redis');
        // One cache for each operation: after five failures a cache waits no more.
        const caches = Array.from({ length: 4 }, () => {
          const remote = redisLevel({ client: server.client });
          const options = { ...IN_MEMORY, remote, levelTimeout: LEVEL_TIMEOUT_MS };
          return new CacheHierarchy({ ...options, report: () => {} });
        });
        for (const cache of caches) await cache.set('first', 1);
        server.suspend();
        const [loading, setting, deleting, getting] = caches;
        const value = await slowest((at) => loading!.getOrSet(`key:${at}`, () => at));
        const beside = {
          'slowest set': await slowest((at) => setting!.set(`key:${at}`, at)),
          'slowest delete': await slowest((at) => deleting!.delete(`key:${at}`)),
          'slowest get': await slowest((at) => getting!.get(`key:${at}`)),
        };
        await Promise.all(caches.map((cache) => cache.close()));
        return { value, beside, checksum: OPERATIONS };
      }),
    },
  };
}

type Level = ReturnType<(typeof import('nestjs-cache-hierarchy/redis'))['redisLevel']>;

function withServer(measure: (server: RedisProcess) => Promise<Sample>): Subject {
  return async () => {
    await using server = await RedisProcess.start();
    return await measure(server);
  };
}

function withLevel(measure: (level: Level) => Promise<Sample>): Subject {
  return withServer(async ({ client }) => {
    const { redisLevel } = await import('nestjs-cache-hierarchy/redis');
    const level = redisLevel({ client });
    try {
      return await measure(level);
    } finally {
      await level.close();
    }
  });
}

/** A cache that is closed where its block ends. */
function closing<C extends { close(): Promise<void> }>(cache: C): C & AsyncDisposable {
  return Object.assign(cache, { [Symbol.asyncDispose]: () => cache.close() });
}

function entryOf(
  value: unknown,
): Parameters<Level['write']>[0] extends ReadonlyMap<string, infer E> ? E : never {
  const until = performance.now() + TTL_MS;
  return { value, bornAt: performance.now(), freshUntil: until, staleUntil: until };
}

async function sumOf(
  keys: readonly string[],
  count: (key: string) => Promise<number>,
): Promise<number> {
  let sum = 0;
  for (const key of keys) sum += await count(key);
  return sum;
}

/** Has so many callers work through the keys, each with one at a time. */
async function byCallers(
  callers: number,
  keys: readonly string[],
  call: (key: string, at: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < keys.length) {
      const at = next++;
      await call(keys[at]!, at);
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
}

async function idsOf(cache: SharedCache, keys: readonly string[]): Promise<number> {
  let sum = 0;
  await byCallers(CALLERS, keys, async (key) => {
    const { id } = (await cache.get(key))!;
    sum += id;
  });
  return sum;
}

/** How long the slowest of some calls that are made at once, and of as many after another, took. */
async function slowest(call: (at: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  const timed = async (at: number): Promise<void> => {
    const startedAt = performance.now();
    await call(at);
    times.push(performance.now() - startedAt);
  };
  await Promise.all(Array.from({ length: OPERATIONS }, (_, at) => timed(at)));
  for (let at = OPERATIONS; at < 2 * OPERATIONS; at++) await timed(at);
  return Math.max(...times);
}
