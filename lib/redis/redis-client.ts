import { connectLikeIoredis, type IoredisClient } from './ioredis-connection.js';
import {
  connectLikeNodeRedis,
  type NodeRedisClient,
  type NodeRedisCluster,
} from './node-redis-connection.js';
import type { Connect } from './redis-connection.js';

/** A client of `ioredis` or `redis`, of one server or of a Cluster. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster;

/** Returns how to make connections like that of a client, or `undefined` for what is none. */
export function connectLike(client: unknown): Connect | undefined {
  if (!has(client, 'duplicate')) return undefined;
  if (has(client, 'callBuffer')) return connectLikeIoredis(client as IoredisClient);
  return has(client, 'sendCommand') ? connectLikeNodeRedis(client as NodeRedisClient) : undefined;
}

/** Whether it is what `createSentinel` of `redis` makes: that sends in another way, and ends in another one. */
export function isSentinel(client: unknown): boolean {
  return has(client, 'getSentinelNode');
}

function has(client: unknown, method: string): boolean {
  return (
    typeof client === 'object' &&
    client !== null &&
    typeof (client as Record<string, unknown>)[method] === 'function'
  );
}
