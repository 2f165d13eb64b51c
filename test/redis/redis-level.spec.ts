import { afterAll, beforeAll, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { describeLevel } from '../../lib/testing/index.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

let server: RedisServer;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  for (const close of closers) await close();
  await server.stop();
});

const clients: Record<string, () => Promise<RedisClient>> = {
  async ioredis() {
    const client = new Redis(server.port);
    closers.push(() => client.disconnect());
    return client;
  },
  async redis() {
    const client = createClient({ socket: { port: server.port } });
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

let names = 0;
for (const [name, connect] of Object.entries(clients)) {
  let client: Promise<RedisClient>;
  describeLevel(
    `Redis through ${name}`,
    async () => ({
      level: redisLevel({ client: await (client ??= connect()), name: `cache-${++names}` }),
      now: () => performance.now(),
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      toleranceMs: 20,
    }),
    { describe: describeWithRedis, it },
  );
}
