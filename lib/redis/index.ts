import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../clock.js';
import type { Duration } from '../durations.js';
import { isName, NAME_FORM } from '../memory/cache-key.js';
import { OptionReader } from '../options.js';
import { messagePack, type Codec } from './codec.js';
import { connectLike, isSentinel, type RedisClient } from './redis-client.js';
import { RedisDriver } from './redis-driver.js';
import { RedisLevel } from './redis-level.js';

export { messagePack, type Codec } from './codec.js';
export type { IoredisClient } from './ioredis-connection.js';
export type { NodeRedisClient, NodeRedisCluster } from './node-redis-connection.js';
export type { RedisClient } from './redis-client.js';
export type { RedisLevel } from './redis-level.js';

/** Options of {@link redisLevel}. Only `client` has no default. */
export interface RedisLevelOptions {
  /**
   * A client of `ioredis` or `redis`, 5 or 6, of one server or a Cluster. The level makes connections like
   * it of its own; the client itself is used for nothing, and is its maker's to close.
   */
  readonly client: RedisClient;
  /**
   * What every key in Redis begins with: 1 to 32 characters of `A-Z a-z 0-9 . _ -`.
   * @default 'cache'
   */
  readonly prefix?: string;
  /**
   * The name of the cache in Redis, in the same form.
   * @default 'default'
   */
  readonly name?: string;
  /**
   * Makes bytes of values, and values of bytes.
   * @default messagePack()
   */
  readonly codec?: Codec;
  /**
   * For how long copies in the process are served when it is not known any more what others change; after
   * that they are read anew. What a turn of the event loop computes may come on top.
   * @default '5s'
   */
  readonly maxStale?: Duration;
  /** The clock of the cache; the process's own by default. */
  readonly clock?: Clock;
}

/** For how long a process that has died keeps others from loading, in milliseconds. */
const LEASE_MS = 10_000;

/**
 * Makes Redis or Valkey a level, for `remote`.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with the options
 */
export function redisLevel(options: RedisLevelOptions): RedisLevel {
  const reader = new OptionReader('redisLevel', options);
  const client = reader.raw('client');
  const connect = connectLike(client);
  if (isSentinel(client))
    reader.reject(
      'client',
      'must not be a Sentinel of redis (createSentinel): give a client of ioredis with sentinels, which ' +
        'finds the master by itself',
    );
  else if (connect === undefined) reader.reject('client', 'must be a client of ioredis or redis');
  const prefix = readName(reader, 'prefix', 'cache');
  const name = readName(reader, 'name', 'default');
  const codec = reader.port<Codec>('codec', messagePack(), ['encode', 'decode']);
  const { id } = (codec as Partial<Codec> | null) ?? {};
  if (id !== undefined && !isName(id))
    reader.reject('codec', `must have an id of ${NAME_FORM}, or none`);
  const maxStaleMs = reader.duration('maxStale', 5_000);
  const clock = reader.port<Clock>('clock', systemClock, ['now', 'wallNow', 'setTimer']);
  reader.finish();
  const source = randomUUID();
  const driver = new RedisDriver(connect!, clock);
  return new RedisLevel(
    { driver, codec, clock, prefix, maxStaleMs, source, leaseMs: LEASE_MS },
    name,
  );
}

function readName(reader: OptionReader, option: string, fallback: string): string {
  const name = reader.raw(option) ?? fallback;
  if (isName(name)) return name;
  reader.reject(option, `must be ${NAME_FORM}`);
  return fallback;
}
