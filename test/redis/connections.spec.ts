import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { redisLevel } from '../../lib/redis/index.js';
import { connectLike } from '../../lib/redis/redis-client.js';
import { NotSentError } from '../../lib/redis/redis-connection.js';
import { until } from './until.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

let server: RedisServer;
let proxy: TcpProxy;

beforeEach(async () => {
  server = await RedisServer.start();
  proxy = await TcpProxy.start(server.port);
});

afterEach(async () => {
  server.signal('SIGCONT');
  await proxy.stop();
  await server.stop();
});

/** Makes a connection and uses it: whatever was begun to be connected before has come by then, too. */
async function useProxy(): Promise<void> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.write('PING\r\n');
  await once(socket, 'data');
  socket.destroy();
}

const LISTENER = { changed: () => {}, missed: () => {} };

describeWithRedis.each(CLIENTS)('connections of a level through $name', ({ one, cluster }) => {
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
    await level.close();

    expect(await reading).toBe('failed');
    server.signal('SIGCONT');
    await useProxy();
    await until('all connections are closed', () => proxy.connections === 0);
  });

  it('to a Cluster are none after it was closed, though a node accepts them and says nothing', async () => {
    let [made, open] = [0, 0];
    const silent = createServer((socket) => {
      [made, open] = [made + 1, open + 1];
      socket.resume().on('error', () => {});
      socket.on('close', () => (open -= 1));
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const level = redisLevel({ client: cluster([(silent.address() as AddressInfo).port]) });
    const feed = level.follow(LISTENER);
    try {
      await until('one for commands and one for messages are made', () => made >= 2);
    } finally {
      feed.stop();
      await level.close();
    }

    await expect(until('all are closed', () => open === 0)).resolves.toBeUndefined();
    silent.close();
  });

  it('are there when the server comes after them', async () => {
    await server.kill();
    const level = redisLevel({ client: one(proxy.port) });
    const feed = level.follow(LISTENER);
    const read = (): Promise<boolean> =>
      level.read(['key']).then(
        ({ size }) => size === 0,
        () => false,
      );
    const early = read();
    await server.run();
    await early;

    await expect(until('it is read', read)).resolves.toBeUndefined();
    await until('copies are proven', () => feed.isProven());
    feed.stop();
    await level.close();
    await until('all connections are closed', () => proxy.connections === 0);
  });

  it('say that nothing was sent while there is no server', async () => {
    const connection = connectLike(one(proxy.port))!();
    const send = (): Promise<unknown> => connection.send('key', ['GET', 'key']);
    const isNotSent = async (): Promise<boolean> => {
      try {
        await send();
        return false;
      } catch (error) {
        return error instanceof NotSentError;
      }
    };
    try {
      await connection.ready;
      expect(await send()).toBeNull();
      await server.kill();
      await until('it is known', isNotSent);
    } finally {
      connection.end();
    }

    expect(await isNotSent()).toBe(true);
    await until('all connections are closed', () => proxy.connections === 0);
  });

  it('hear again after they broke each time that they subscribed', async () => {
    const level = redisLevel({ client: one(proxy.port), name: 'cache' });
    const other = redisLevel({ client: one(server.port), name: 'cache' });
    let heard = 0;
    const feed = level.follow({ ...LISTENER, changed: () => void (heard += 1) });
    try {
      await until('copies are proven', () => feed.isProven());
      // Nothing is changed meanwhile: no message that is missed has the level make another subscription.
      proxy.breakAt('subscribe', 5);
      proxy.reset();
      await until('it has tried again each time', () => proxy.trapsLeft === 0);

      const hears = until('it hears', async () => {
        await other.delete(['key']);
        return heard > 0;
      });
      await expect(hears).resolves.toBeUndefined();
    } finally {
      feed.stop();
      await Promise.all([level.close(), other.close()]);
    }
  });
});
