import type { Case, Sample, Subject } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { heldKeys } from '../workload.js';
import { closing, TTL_MS, withServer } from './cells.js';
import type { RedisProcess } from './redis-process.js';

const ALONE = 'L1 alone';
const OURS = 'CacheHierarchy over redisLevel';
const L1_KEYS = 10_000;
const L1_READS = 500_000;
const IN_MEMORY = { ttl: TTL_MS, l1: { ttl: TTL_MS, maxEntries: 2 * L1_KEYS }, l2: false } as const;
const LEVEL_TIMEOUT_MS = 250;
const OPERATIONS = 30;

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
export function coherenceCheck(): Case {
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
export function stoppedServer(): Case {
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
        // All at once: a connection that is silent for a second is given up, and then nobody waits any more.
        const [value, set, removed, got] = await Promise.all([
          slowest((at) => loading!.getOrSet(`key:${at}`, () => at)),
          slowest((at) => setting!.set(`key:${at}`, at)),
          slowest((at) => deleting!.delete(`key:${at}`)),
          slowest((at) => getting!.get(`key:${at}`)),
        ]);
        const beside = { 'slowest set': set, 'slowest delete': removed, 'slowest get': got };
        await Promise.all(caches.map((cache) => cache.close()));
        return { value, beside, checksum: OPERATIONS };
      }),
    },
  };
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
