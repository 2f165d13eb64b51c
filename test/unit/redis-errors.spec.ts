import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel } from '../../lib/redis/index.js';
import { connectLike, type RedisClient } from '../../lib/redis/redis-client.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import type { CacheReport } from '../../lib/report.js';
import { describeWithRedis, RedisServer } from '../redis/redis-server.js';
import { until } from '../redis/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'none',
    (error: unknown) => error,
  );

const CLIENTS: [string, (port: number, password?: string) => RedisClient][] = [
  [
    'ioredis',
    (port, password) => new Redis({ port, lazyConnect: true, ...(password && { password }) }),
  ],
  ['redis', (port, password) => createClient({ socket: { port }, ...(password && { password }) })],
];

describeWithRedis('what an error of Redis tells whoever logs it', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => server.stop());

  async function tell(command: string, ...args: string[]): Promise<void> {
    const admin = new Redis({ port: server.port });
    await admin.call(command, ...args);
    admin.disconnect();
  }

  it.each(CLIENTS)('has no key where a command of %s is refused', async (_, clientOf) => {
    const level = redisLevel({ client: clientOf(server.port) });
    await level.read(['key']);
    await tell('ACL', 'SETUSER', 'default', '-evalsha', '-eval', '-mget');

    const told = inspect(await errorOf(level.read(['key'])), { depth: null });

    expect(told).toContain('NOPERM');
    expect(told).not.toContain('cache:{default');
    await level.close();
  });

  it.each(CLIENTS)('has no password where that of %s is wrong', async (_, clientOf) => {
    await tell('CONFIG', 'SET', 'requirepass', 'another');
    const clock = new VirtualClock();
    const own = connectLike(clientOf(server.port, 'swordfish'))!();
    const driver = new RedisDriver(() => own, clock);
    await until('it has been tried', () => own.lastError !== undefined);
    await clock.advance(1_000);

    const told = inspect(await errorOf(driver.mget(['key'])), { depth: null });

    expect(told).toMatch(/no connection to Redis yet: WRONGPASS .*[^.]\. Look at/);
    expect(told).not.toContain('swordfish');
    driver.close();
  });

  it.each(CLIENTS)(
    'has the reason where %s has no password and one is asked for',
    async (_, of) => {
      await tell('CONFIG', 'SET', 'requirepass', 'another');
      const reports: CacheReport[] = [];
      const cache = new CacheHierarchy({
        remote: redisLevel({ client: of(server.port) }),
        // However slow the machine is: the reason is to come before that.
        levelTimeout: '60s',
        report: (what) => reports.push(what),
      });

      expect(await cache.getOrSet('key', () => 1)).toBe(1);

      const down = reports.filter(({ code }) => code === 'CACHE_LEVEL_DOWN');
      expect(down).toHaveLength(1);
      expect(String(down[0]!.cause)).toMatch(/no connection to Redis yet: NOAUTH .*Look at the/);
      await cache.close();
    },
  );
});
