import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { redisLevel } from '../../lib/redis/index.js';
import { until } from './until.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

let server: RedisServer;
let proxy: TcpProxy;
const unhandled: unknown[] = [];
const noteUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(async () => {
  server = await RedisServer.start();
  proxy = await TcpProxy.start(server.port);
  unhandled.length = 0;
  process.on('unhandledRejection', noteUnhandled);
});

afterEach(async () => {
  process.off('unhandledRejection', noteUnhandled);
  server.signal('SIGCONT');
  await proxy.stop();
  await server.stop();
});

const LISTENER = { changed: () => {}, missed: () => {} };

describeWithRedis.each(CLIENTS)('connections of a level through $name', ({ one }) => {
  it.each([
    ['at once', () => true],
    ['while they are being made', () => proxy.connections > 0],
  ])('are none after it was closed %s', async (_, isTime) => {
    server.signal('SIGSTOP');
    const level = redisLevel({ client: one(proxy.port) });
    const feed = level.follow(LISTENER);
    const reading = level.read(['key']).then(
      () => 'read',
      () => 'failed',
    );
    await until('it is time', isTime);
    feed.stop();
    await level.close();

    expect(await reading).toBe('failed');
    server.signal('SIGCONT');
    await until('all connections are closed', () => proxy.connections === 0);
    expect(unhandled).toEqual([]);
  });

  it('are there when the server comes after them', async () => {
    await server.kill();
    const level = redisLevel({ client: one(proxy.port) });
    const feed = level.follow(LISTENER);
    const reading = level.read(['key']);
    await server.run();

    expect((await reading).size).toBe(0);
    await until('copies are proven', () => feed.isProven());
    feed.stop();
    await level.close();
    await until('all connections are closed', () => proxy.connections === 0);
    expect(unhandled).toEqual([]);
  });
});
