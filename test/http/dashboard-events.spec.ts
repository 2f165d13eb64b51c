import { connect } from 'node:net';
import { channel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import {
  CACHE_CHANNELS,
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
} from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { MapLevel } from 'nestjs-cache-hierarchy/testing';
import type { CacheSample } from '../../lib/dashboard/dashboard-state.js';
import { MAX_VIEWERS } from '../../lib/dashboard/viewers.js';
import { DashboardApp, OPEN, type DashboardAppOptions } from './dashboard-app.js';
import { ADAPTERS } from './http-app.js';

const HOSTILE = ['<script>alert(1)</script>', 'k'.repeat(1_000), '"}\\data: x', 'ключ'];

let app: DashboardApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe.each(ADAPTERS)(`${CacheDashboardModule.name} on %s: events`, (_, adapter) => {
  async function start(options?: DashboardAppOptions): Promise<CacheHierarchy> {
    app = await DashboardApp.start(adapter, options);
    return app.http.get(CacheHierarchy);
  }

  it('greets with what there is', async () => {
    const cache = await start({ cache: { softTimeout: '2s', remote: new MapLevel() } });
    await cache.getOrSet('key', () => 1);
    await app!.clock.advance('1s');
    const { clock } = app!;

    const hello = await (await app!.watch()).next('hello');

    expect(hello).toMatchObject({
      startedAt: clock.wallNow() - 1_000,
      now: clock.wallNow(),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      intervalMs: 1_000,
      mutations: false,
      revealsKeys: false,
      caches: [
        {
          name: 'default',
          active: true,
          levels: ['L1', 'L2', 'remote'],
          advice: [{ code: 'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE' }],
        },
      ],
      activity: [],
    });
    expect(hello.bootId).toMatch(/^[\da-f-]{36}$/);
    expect(hello.history.map(({ at }) => at - hello.startedAt)).toEqual([0, 1_000]);
    expect(hello.history[0]!.caches['default']).not.toHaveProperty('detail');
    expect(hello.history[1]!.caches['default']).toMatchObject({
      reads: 1,
      loads: 1,
      detail: { health: 'up', totals: { reads: 1, hits: 0, misses: 1, loads: 1 } },
    });
  });

  it('tells each second what has happened in it, in every cache', async () => {
    const named = CacheHierarchyModule.forFeature([{ name: 'users', l2: false }]);
    @Module({ imports: [named] })
    class UsersModule {}
    const cache = await start({
      imports: [UsersModule, CacheDashboardModule.forRoot({ guard: OPEN })],
    });
    const users = app!.http.nest.get<CacheHierarchy>(getCacheToken('users'), { strict: false });
    const stream = await app!.watch();

    await Promise.all([1, 2, 3].map(() => cache.getOrSet('key', async () => 1)));
    await cache.get('key');
    await users.set('1', 1, { tags: 'user' });
    await users.invalidateTags('user');
    await app!.clock.advance('1s');
    const { caches } = await stream.next('sample');

    const { detail, ...sample } = caches['default']!;
    expect(sample).toEqual({
      ...NOTHING,
      reads: 4,
      hits: 1,
      misses: 3,
      loads: 1,
      joins: 2,
      entries: 2,
      answered: { L1: 1, L2: 0 },
    });
    expect(detail).toMatchObject({
      totals: { reads: 4, hits: 1, misses: 3, loads: 1, joins: 2, answered: { L1: 1, L2: 0 } },
      missReasons: { absent: 3 },
      loadTimes: { count: 1, sumMs: 0 },
      levels: [
        { name: 'L1', kind: 'memory', state: 'up', entries: 1, hits: 1, misses: 3 },
        { name: 'L2', kind: 'memory', state: 'up', entries: 1, hits: 0, misses: 3 },
      ],
    });
    expect(caches['users']).toMatchObject({ reads: 0, sets: 1, tagInvalidations: 1 });

    await app!.clock.advance('1s');
    const next = await stream.next('sample');
    expect(next.caches['default']).toMatchObject({ ...NOTHING, entries: 2 });
    expect(next.caches['default']!.detail!.totals.reads).toBe(4);
  });

  it('counts on where counters begin anew', async () => {
    const cache = await start();
    const stream = await app!.watch();
    await cache.get('before');
    cache.resetMetrics();
    await cache.get('after');
    await cache.get('after');
    await app!.clock.advance('1s');

    const { caches } = await stream.next('sample');

    expect(caches['default']).toMatchObject({ reads: 2, detail: { totals: { reads: 2 } } });
  });

  it('keeps a quarter of an hour', async () => {
    await start();
    await app!.clock.advance('16m');

    const { history, startedAt } = await (await app!.watch()).next('hello');

    expect(history).toHaveLength(900);
    expect(history.at(-1)!.at - startedAt).toBe(16 * 60_000);
    expect(history.filter(({ caches }) => caches['default']!.detail !== undefined)).toHaveLength(1);
  });

  it('tells the hottest keys while somebody watches, hashed', async () => {
    const cache = await start();
    for (const key of HOSTILE) await cache.set(key, 1);
    const heard = (): boolean => channel(CACHE_CHANNELS.hit).hasSubscribers;
    expect(heard()).toBe(false);

    const stream = await app!.watch();
    await stream.next('hello');
    expect(heard()).toBe(true);
    for (let times = 0; times < 3; times++) await cache.get(HOSTILE[0]!);
    await cache.get(HOSTILE[1]!);
    await app!.clock.advance(50);
    expect(heard()).toBe(false);
    await cache.get(HOSTILE[2]!);
    await app!.clock.advance(950);

    const { caches } = await stream.next('sample');
    expect(heard()).toBe(true);
    const { hotKeys } = caches['default']!.detail!;
    expect(hotKeys.map(({ share, hits }) => [share, hits])).toEqual([
      [0.75, 3],
      [0.25, 1],
    ]);
    for (const { label } of hotKeys) expect(label).toMatch(/^sha256:[\da-f]{12}$/);

    stream.leave();
    // The server hears of it when it hears of it; from then on nobody listens.
    while (heard()) {
      await app!.http.ask('/cache');
      await app!.clock.advance('1s');
    }
    const again = await app!.watch();
    const { history } = await again.next('hello');
    expect(history.at(-1)!.caches['default']!.detail!.hotKeys).toEqual([]);
  });

  it('shows keys where it is told to, cut', async () => {
    const cache = await start({ dashboard: { guard: OPEN, revealKeys: true } });
    for (const key of HOSTILE) await cache.namespace('users').set(key, 1);
    const stream = await app!.watch();
    await stream.next('hello');
    for (const key of HOSTILE) await cache.namespace('users').get(key);
    await cache.namespace('users').delete(HOSTILE[0]!);
    await app!.clock.advance('1s');

    expect((await stream.next('activity')).what).toBe(`users > ${HOSTILE[0]}`);
    const { caches } = await stream.next('sample');
    const labels = caches['default']!.detail!.hotKeys.map(({ label }) => label);
    const long = `users > ${HOSTILE[1]}`;
    expect(labels).toEqual(
      HOSTILE.map((key) => (key === HOSTILE[1] ? `${long.slice(0, 199)}…` : `users > ${key}`)),
    );
  });

  it('tells what was invalidated', async () => {
    const cache = await start();
    const stream = await app!.watch();
    await using other = new CacheHierarchy();
    await other.delete('key');
    await cache.delete('key');
    await cache.invalidateTags(['red', '<b>']);
    await cache.namespace('users').clear();
    await cache.clear();
    await app!.clock.advance('1s');

    const at = app!.clock.wallNow() - 1_000;
    const one = { at, cache: 'default', count: 1 };
    const told = [
      { ...one, kind: 'delete', what: expect.stringMatching(/^sha256:[\da-f]{12}$/) },
      { ...one, kind: 'tags', what: 'red, <b>' },
      { ...one, kind: 'clear', what: 'users' },
      { ...one, kind: 'clear', what: '' },
    ];
    for (const activity of told) expect(await stream.next('activity')).toEqual(activity);
    expect((await (await app!.watch()).next('hello')).activity).toEqual(told);
  });

  it('tells of many invalidations in few words', async () => {
    const cache = await start();
    const stream = await app!.watch();
    for (let second = 0; second < 3; second++) {
      for (let id = 0; id < 10_000; id++) void cache.delete(`key${id}`);
      await app!.clock.advance('1s');
    }
    await app!.http.close();

    const blocks = await stream.ended();

    const counts = blocks
      .filter((block) => block.startsWith('event: activity'))
      .map((block) => (JSON.parse(block.split('\ndata: ')[1]!) as { count: number }).count);
    expect(counts).toEqual([1, 1, 1, 1, 1, 9_995, 10_000, 10_000]);
  });

  it('lets so many watch and no more', async () => {
    await start();
    const streams = await Promise.all(Array.from({ length: MAX_VIEWERS }, () => app!.watch()));
    for (const stream of streams) await stream.next('hello');

    const refused = await app!.http.ask('/cache/events');
    expect([refused.status, refused.body]).toEqual([
      503,
      '16 pages watch the dashboard already. Close one of them.',
    ]);

    streams[0]!.leave();
    let reply = await app!.watch();
    // The server hears of it when it hears of it.
    while (reply.response.statusCode === 503) reply = await app!.watch();
    expect((await reply.next('hello')).intervalMs).toBe(1_000);
  });

  it('opens no stream for another site', async () => {
    await start();

    for (const site of ['cross-site', 'same-site'])
      expect(
        await app!.http.ask('/cache/events', { headers: { 'sec-fetch-site': site } }),
      ).toMatchObject({ status: 403 });
    for (const site of ['same-origin', 'none']) {
      const stream = await app!.watch('/cache/events', { 'sec-fetch-site': site });
      await stream.next('hello');
    }
  });

  it('ends all streams when the application closes', async () => {
    const cache = await start();
    const stream = await app!.watch();
    await stream.next('hello');
    const deaf = connect(app!.http.port, '127.0.0.1').pause();
    deaf.write('GET /cache/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await new Promise((resolve) => deaf.once('readable', resolve));

    await app!.http.close();

    await stream.ended();
    deaf.destroy();
    expect(cache.closed).toBe(true);
    expect(app!.clock.pending).toBe(0);
    for (const name of [CACHE_CHANNELS.hit, CACHE_CHANNELS.invalidated])
      expect(channel(name).hasSubscribers).toBe(false);
  });
});

const NOTHING: CacheSample = {
  reads: 0,
  hits: 0,
  misses: 0,
  loads: 0,
  loadFailures: 0,
  loadMs: 0,
  joins: 0,
  stale: 0,
  fenced: 0,
  refreshes: 0,
  sets: 0,
  deletes: 0,
  tagInvalidations: 0,
  clears: 0,
  expires: 0,
  evicted: 0,
  expired: 0,
  inFlight: 0,
  entries: 0,
  bytes: 0,
  answered: { L1: 0, L2: 0 },
};
