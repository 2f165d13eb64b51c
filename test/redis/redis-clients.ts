import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import type { RedisClient } from '../../lib/redis/index.js';

export type ClientName = 'ioredis' | 'redis';

/** A client as its user makes it. The level only duplicates it, so it is never connected. */
export interface ClientKind {
  readonly name: ClientName;
  readonly one: (port: number) => RedisClient;
  readonly cluster: (ports: readonly number[]) => RedisClient;
}

export const CLIENTS: readonly ClientKind[] = [
  {
    name: 'ioredis',
    one: (port) => new Redis({ port, host: '127.0.0.1', lazyConnect: true }),
    cluster: (ports) =>
      new Cluster(
        ports.map((port) => ({ port, host: '127.0.0.1' })),
        { lazyConnect: true },
      ),
  },
  {
    name: 'redis',
    one: (port) => createClient({ socket: { port, host: '127.0.0.1' } }),
    cluster: (ports) =>
      createCluster({ rootNodes: ports.map((port) => ({ socket: { port, host: '127.0.0.1' } })) }),
  },
];

export function clientOf(name: ClientName): ClientKind {
  return CLIENTS.find((kind) => kind.name === name)!;
}
