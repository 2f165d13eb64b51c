import type { Case, Subject } from '../harness/suite.js';
import { withServer } from './cells.js';
import type { RedisProcess } from './redis-process.js';
import {
  openBentocache,
  openCacheable,
  openOurs,
  type OpenShared,
  type SharedCache,
} from './shared-caches.js';

/** Two processes of a fleet, and the database that both load from. */
interface Fleet {
  readonly server: RedisProcess;
  readonly reader: SharedCache;
  readonly writer: SharedCache;
  readonly database: Map<string, number>;
}

type Fault = (fleet: Fleet, keys: readonly string[]) => Promise<void>;

const KEYS = 1_000;
/** So long after the last change everybody should know of it. */
const KNOWN_AFTER_MS = 3_000;
/** What is not answered in this time is left to itself. */
const PATIENCE_MS = 300;
const LOAD_MS = 10;

/**
 * How many keys of 1,000 are still read with an old value, by either process, 3 s after a fault is over: of each
 * cache under each fault, in one table.
 */
export function staleCounts(): Case {
  const faults = Object.entries<Fault>({
    'invalidations while keys are loaded': racingLoads,
    'subscriptions that break': brokenSubscriptions,
    'a server that stood still': stoppedServer,
  });
  const caches = Object.entries<OpenShared>({
    'CacheHierarchy over redisLevel': openOurs,
    bentocache: openBentocache,
    cacheable: openCacheable,
  });
  const subjects = faults.flatMap(([fault, strike]) =>
    caches.map(([cache, open]) => [`${fault}: ${cache}`, subjectOf(open, strike)] as const),
  );
  return {
    name: `keys of ${KEYS} that stay stale`,
    unit: 'stale keys',
    against: [],
    subjects: Object.fromEntries(subjects),
  };
}

function subjectOf(open: OpenShared, fault: Fault): Subject {
  return withServer(async (server) => {
    const [reader, writer] = [await open(server.client), await open(server.client)];
    const database = new Map<string, number>();
    const keys = Array.from({ length: KEYS }, (_, at) => `key:${at}`);
    for (const key of keys) database.set(key, 0);
    const fleet = { server, reader, writer, database };
    await fault(fleet, keys);
    await pause(KNOWN_AFTER_MS);
    const isStale = await Promise.all(
      keys.map(async (key) => {
        const read = await Promise.all([load(fleet, reader, key), load(fleet, writer, key)]);
        return read.some((version) => version < database.get(key)!);
      }),
    );
    await Promise.race([Promise.all([reader.close(), writer.close()]), pause(PATIENCE_MS)]);
    return { value: isStale.filter(Boolean).length, checksum: KEYS };
  });
}

/** One process loads a key, the other changes it meanwhile: what was loaded before must not be stored. */
const racingLoads: Fault = async (fleet, keys) => {
  for (const some of inParts(keys, 50)) {
    await Promise.all(
      some.map(async (key, at) => {
        const loaded = load(fleet, fleet.reader, key);
        await pause((at * LOAD_MS) / some.length);
        await Promise.all([loaded, change(fleet, key)]);
      }),
    );
  }
};

/** The connections that hear what others change break every 50 ms: messages are lost. */
const brokenSubscriptions: Fault = async (fleet, keys) => {
  for (const key of keys) await load(fleet, fleet.reader, key);
  for (const some of inParts(keys, 20)) {
    await fleet.server.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await Promise.all(some.map((key) => change(fleet, key)));
    await pause(50);
  }
};

/** Redis answers nothing for three seconds, and all keys change meanwhile. */
const stoppedServer: Fault = async (fleet, keys) => {
  for (const key of keys) await load(fleet, fleet.reader, key);
  fleet.server.suspend();
  for (const some of inParts(keys, 100)) {
    const changes = some.map((key) => change(fleet, key));
    const reads = some.map((key) => load(fleet, fleet.reader, key));
    await Promise.race([Promise.all([...changes, ...reads]), pause(PATIENCE_MS)]);
  }
  fleet.server.resume();
};

function load({ database }: Fleet, cache: SharedCache, key: string): Promise<number> {
  return cache.getOrSet(key, async () => {
    const version = database.get(key)!;
    await pause(LOAD_MS);
    return version;
  });
}

async function change({ database, writer }: Fleet, key: string): Promise<void> {
  database.set(key, database.get(key)! + 1);
  // What it throws is not what is counted.
  await writer.delete(key).catch(() => {});
}

function inParts(keys: readonly string[], size: number): string[][] {
  const parts: string[][] = [];
  for (let at = 0; at < keys.length; at += size) parts.push(keys.slice(at, at + size));
  return parts;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
