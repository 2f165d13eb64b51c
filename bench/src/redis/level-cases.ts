import { median } from '../harness/statistics.js';
import type { Case } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { heldKeys } from '../workload.js';
import {
  byCallers,
  entryOf,
  KEYS,
  PAYLOAD,
  sumOf,
  TTL_MS,
  withLevel,
  withServer,
} from './cells.js';

const GET = 'ioredis GET';
const SET = 'ioredis SET PX';
/** Of writes with a lease: those that are there for the compiler, and those that count. */
const WARMING_RUNS = 30;
const TIMED_RUNS = 7;

/** Reads of the level, by one caller or by many, beside the client's own command. */
export function levelHit(callers: number): Case {
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
        // A burst of writes here would have the compiler allocate what a command needs as if it lived long.
        for (const key of keys) await level.write(new Map([[key, entryOf(PAYLOAD)]]));
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
export function fencedSet(): Case {
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
        while (figures.length < WARMING_RUNS + TIMED_RUNS) {
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
        return { value: median(figures.slice(WARMING_RUNS)), checksum };
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
