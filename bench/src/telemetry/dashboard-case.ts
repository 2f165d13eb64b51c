import 'reflect-metadata';
import { setImmediate as turn } from 'node:timers/promises';
import type { Case, Subject } from '../harness/suite.js';
import { heldKeys } from '../workload.js';

const ENTRIES = 10_000;
/** Some seconds of them: the dashboard does what it does once a second. */
const HITS = 20_000_000;
/** After so many the event loop turns, as between requests. */
const HITS_A_TURN = 2_000;

const ALONE = 'no dashboard';

/** What hits cost an application that has a dashboard, while nobody watches it and while somebody does. */
export function hitsWithDashboard(): Case {
  return {
    name: 'awaited getOrSet hit in an application with a dashboard, the event loop turning',
    unit: 'ns/op',
    against: [ALONE],
    subjects: {
      [ALONE]: hits(false),
      'a dashboard that nobody watches': hits(true),
      'a dashboard that one page watches': hits(true, watch),
    },
  };
}

function hits(hasDashboard: boolean, look?: (url: string) => Promise<AbortController>): Subject {
  return async () => {
    const { Module } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    const { CacheHierarchy, CacheHierarchyModule } = await import('nestjs-cache-hierarchy');
    const { CacheDashboardModule } = await import('nestjs-cache-hierarchy/dashboard');
    class RootModule {}
    const cached = CacheHierarchyModule.forRoot({ l1: { maxEntries: ENTRIES * 2 }, ttl: '10m' });
    const dashboard = CacheDashboardModule.forRoot({ guard: null });
    Module({ imports: hasDashboard ? [cached, dashboard] : [cached] })(RootModule);
    const application = await NestFactory.create(RootModule, { logger: false });
    await application.listen(0, '127.0.0.1');
    const looking = await look?.(`${await application.getUrl()}/cache/events`);
    try {
      return await timeHits(application.get(CacheHierarchy));
    } finally {
      looking?.abort();
      await application.close();
    }
  };
}

async function timeHits(
  cache: import('nestjs-cache-hierarchy').CacheHierarchy,
): ReturnType<Subject> {
  const keys = heldKeys(ENTRIES);
  const read = async (count: number): Promise<number> => {
    let sum = 0;
    for (let at = 0; at < count; at += 1) {
      const key = keys[at % ENTRIES]!;
      sum += await cache.getOrSet(key, () => key.length);
      if (at % HITS_A_TURN === 0) await turn();
    }
    return sum;
  };
  await read(HITS / 10);
  const startedAt = performance.now();
  const checksum = await read(HITS);
  return { value: ((performance.now() - startedAt) * 1e6) / HITS, checksum };
}

/** Reads what the page of the dashboard would, and throws it away. */
async function watch(url: string): Promise<AbortController> {
  const looking = new AbortController();
  const response = await fetch(url, { signal: looking.signal });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}.`);
  const drain = async (): Promise<void> => {
    for await (const _ of response.body!);
  };
  drain().catch(() => {});
  return looking;
}
