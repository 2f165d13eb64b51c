import { Collections, LongestGap } from '../harness/event-loop.js';
import type { Case, Sample, Subject } from '../harness/suite.js';
import { heldKeys, keyOf } from '../workload.js';
import { show } from './store-case.js';

const GAP = 'longest gap of the event loop';
const NET = 'net of garbage collection';
const LONG_SET_MS = 0.5;

/**
 * Some or all entries of a cache have expired and are removed: the first sweep of its process. The
 * yardstick is one loop over a `Map` of entries with deadlines, which is what a full scan under a
 * lock does at best. An idle process shows what gap the machine makes by itself.
 */
export function expire(expired: number, entries: number): Case {
  return {
    name: `remove ${show(expired)} expired of ${show(entries)} entries`,
    unit: 'ms',
    beside: { [GAP]: 'ms' },
    against: ['full scan of a Map'],
    subjects: {
      EnhancedAsyncTTLCache: sweepOurs(expired, entries),
      'full scan of a Map': scanMap(expired, entries),
      'idle control': idle(expired),
    },
  };
}

function sweepOurs(expired: number, entries: number): Subject {
  return async () => {
    const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
    const options = { maxEntries: entries, ttl: 1, cleanupInterval: false } as const;
    const cache = new EnhancedAsyncTTLCache<number>(options);
    const keys = heldKeys(entries);
    for (let id = 0; id < entries; id++) {
      void cache.set(keys[id]!, id, isExpired(id, expired, entries) ? undefined : { ttl: '1h' });
    }
    return timed(
      () => cache.removeExpired(),
      () => cache.getMetrics().cleanupDurationMs,
    );
  };
}

function scanMap(expired: number, entries: number): Subject {
  return async () => {
    const map = new Map<string, { readonly value: number; readonly deadline: number }>();
    const keys = heldKeys(entries);
    for (let id = 0; id < entries; id++) {
      const deadline = isExpired(id, expired, entries) ? 0 : Infinity;
      map.set(keys[id]!, { value: id, deadline });
    }
    return timed(async () => {
      const now = performance.now();
      let removed = 0;
      for (const [key, { deadline }] of map) {
        if (deadline <= now && map.delete(key)) removed += 1;
      }
      return removed;
    });
  };
}

function idle(expired: number): Subject {
  return () =>
    timed(async () => {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      return expired;
    });
}

/** Every tenth of ten, spread over the table. */
function isExpired(id: number, expired: number, entries: number): boolean {
  return id % (entries / expired) === 0;
}

/** Measures the busy time, as the subject counts it or else as it passes, and the longest gap. */
export async function timed(run: () => Promise<number>, busyMs?: () => number): Promise<Sample> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  await sleep(50);
  globalThis.gc!();
  const gap = new LongestGap();
  await new Promise((resolve) => setImmediate(resolve));
  const startedAt = performance.now();
  const removed = await run();
  const passedMs = performance.now() - startedAt;
  const longest = await gap.end();
  return { value: busyMs?.() ?? passedMs, checksum: removed, beside: { [GAP]: longest } };
}

/** The longest single `set` while a cache without a bound grows, keys built per call. */
export function grow(entries: number): Case {
  const ours = (maxEntries: number): Subject =>
    longestSet(entries, async () => {
      const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
      const cache = new EnhancedAsyncTTLCache<number>({ maxEntries, ttl: '1h' });
      return (key, value) => void cache.set(key, value);
    });
  return {
    name: `longest set while growing to ${show(entries)} entries`,
    unit: 'ms',
    beside: { [NET]: 'ms' },
    against: ['Map'],
    subjects: {
      'EnhancedAsyncTTLCache, no bound': ours(Infinity),
      'EnhancedAsyncTTLCache, maxEntries': ours(entries),
      Map: longestSet(entries, async () => {
        const map = new Map<string, number>();
        return (key, value) => void map.set(key, value);
      }),
      'control: append to arrays of 4,096': longestSet(entries, async () => {
        const chunks: unknown[][] = [];
        return (key, value) => {
          if (chunks.length === 0 || chunks.at(-1)!.length === 8_192) chunks.push([]);
          chunks.at(-1)!.push(key, value);
        };
      }),
    },
  };
}

/**
 * More entries than one `Map` can take, 2^24, in a cache without a bound; every thousandth is read
 * again.
 */
export function holdMany(entries: number): Case {
  const name = `fill ${show(entries)} entries without a bound, key built per call`;
  const OURS = 'EnhancedAsyncTTLCache';
  const subject: Subject = async () => {
    const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
    const cache = new EnhancedAsyncTTLCache<number>({ maxEntries: Infinity, ttl: '1h' });
    const startedAt = performance.now();
    for (let id = 0; id < entries; id++) void cache.set(keyOf(id), id);
    const value = ((performance.now() - startedAt) * 1e6) / entries;
    let found = 0;
    for (let id = 0; id < entries; id += 1_000) {
      if (cache.getIfPresent(keyOf(id)) === id) found += 1;
    }
    if (found * 1_000 < entries) throw new Error(`Of ${entries / 1_000} keys ${found} were there.`);
    return { value, checksum: cache.size };
  };
  return { name, unit: 'ns/op', against: [OURS], subjects: { [OURS]: subject } };
}

function longestSet(
  entries: number,
  open: () => Promise<(key: string, value: number) => void>,
): Subject {
  return async () => {
    const set = await open();
    const collections = new Collections();
    const long: { readonly from: number; readonly to: number }[] = [];
    for (let id = 0; id < entries; id++) {
      const key = keyOf(id);
      const from = performance.now();
      set(key, id);
      const to = performance.now();
      if (to - from > LONG_SET_MS) long.push({ from, to });
    }
    await collections.end();
    const gross = Math.max(0, ...long.map(({ from, to }) => to - from));
    const net = Math.max(
      0,
      ...long.map(({ from, to }) => to - from - collections.within(from, to)),
    );
    return { value: gross, checksum: entries, beside: { [NET]: net } };
  };
}
