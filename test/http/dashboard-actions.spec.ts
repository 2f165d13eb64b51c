import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { CacheHierarchy, CacheHierarchyModule, getCacheToken } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { MapLevel } from 'nestjs-cache-hierarchy/testing';
import type { ActionAnswer } from '../../lib/dashboard/dashboard-state.js';
import { DashboardApp, OPEN, type DashboardAppOptions } from './dashboard-app.js';
import { ADAPTERS } from './http-app.js';

const HOSTILE = [
  '<script>alert(1)</script>',
  'k'.repeat(1_000),
  '"}\\data: x',
  'ключ',
  '__proto__',
];

let app: DashboardApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe.each(ADAPTERS)(`${CacheDashboardModule.name} on %s: actions`, (_, adapter) => {
  async function start(options: DashboardAppOptions = {}): Promise<CacheHierarchy> {
    const dashboard = { guard: OPEN, mutations: true };
    app = await DashboardApp.start(adapter, { dashboard, ...options });
    return app.http.get(CacheHierarchy);
  }

  async function done(action: string, body: object): Promise<ActionAnswer> {
    const reply = await app!.act(action, body);
    expect(reply).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      },
    });
    return JSON.parse(reply.body) as ActionAnswer;
  }

  async function refused(
    action: string,
    body: unknown,
    headers: Record<string, string | undefined> = {},
  ): Promise<[status: number, message: string]> {
    const reply = await app!.act(action, body, headers);
    return [reply.status, (JSON.parse(reply.body) as { message: string }).message];
  }

  it('inspects what each level has', async () => {
    const remote = new MapLevel();
    const cache = await start({ cache: { remote, ttl: '1h', l1: { ttl: '1m' }, l2: false } });
    await cache.set('key', { name: 'Ada' }, { tags: 'user' });
    await cache.namespace('a').namespace('b').set('key', 'inner', { ttl: Infinity });
    await app!.clock.advance('10s');

    const { entries } = await done('inspect', { cache: 'default', key: 'key' });
    expect(entries).toMatchObject([
      { level: 'L1', stale: false, freshForMs: 50_000, tags: ['user'], value: "{ name: 'Ada' }" },
      { level: 'remote', ageMs: 10_000, tags: ['user'], value: "{ name: 'Ada' }" },
    ]);
    const inner = await done('inspect', { cache: 'default', key: 'key', namespace: ['a', 'b'] });
    expect(inner.entries!.map(({ value }) => value)).toEqual(["'inner'", "'inner'"]);
    expect(inner.entries![1]).toMatchObject({ freshForMs: null, keptForMs: null });
    expect(await done('inspect', { cache: 'default', key: 'other' })).toEqual({
      ok: true,
      entries: [],
    });
  });

  it('deletes, invalidates and clears what it is told to', async () => {
    const named = CacheHierarchyModule.forFeature([{ name: 'users' }]);
    @Module({ imports: [named] })
    class UsersModule {}
    const dashboard = CacheDashboardModule.forRoot({ guard: OPEN, mutations: true });
    const cache = await start({ imports: [UsersModule, dashboard] });
    const users = app!.http.nest.get<CacheHierarchy>(getCacheToken('users'), { strict: false });
    const fill = async (): Promise<void> => {
      for (const key of ['one', 'two']) {
        for (const view of [cache, users, cache.namespace('inner')])
          await view.set(key, 1, { tags: key });
      }
    };
    const views = { '': cache, 'users ': users, 'inner ': cache.namespace('inner') };
    const left = (): string[] =>
      ['one', 'two'].flatMap((key) =>
        Object.entries(views)
          .filter(([, view]) => view.has(key))
          .map(([name]) => name + key),
      );
    await fill();

    await done('delete', { cache: 'default', key: 'one' });
    expect(left()).toEqual(['users one', 'inner one', 'two', 'users two', 'inner two']);
    await done('delete', { cache: 'default', key: 'one', namespace: ['inner'] });
    await done('invalidate-tags', { cache: 'users', tags: ['one', 'other'] });
    expect(left()).toEqual(['two', 'users two', 'inner two']);
    await done('clear', { cache: 'default', namespace: ['inner'] });
    expect(left()).toEqual(['two', 'users two']);
    await done('clear', { cache: 'default' });
    expect(left()).toEqual(['users two']);
  });

  it('takes keys of all kinds', async () => {
    const cache = await start();
    for (const key of HOSTILE) {
      await cache.set(key, key);
      const { entries } = await done('inspect', { cache: 'default', key });
      expect(entries).toHaveLength(2);
      await done('delete', { cache: 'default', key });
      expect(cache.has(key)).toBe(false);
    }
  });

  it('are not there unless they are asked for', async () => {
    const cache = await start({ dashboard: { guard: OPEN } });
    await cache.set('key', 1);

    for (const action of ['inspect', 'delete', 'invalidate-tags', 'clear']) {
      const reply = await app!.act(action, { cache: 'default', key: 'key' });
      expect(reply).toMatchObject({
        status: 404,
        headers: { 'x-content-type-options': 'nosniff' },
      });
    }
    expect(cache.has('key')).toBe(true);
  });

  it.each([
    [200, { 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' }],
    [200, { origin: 'http://cache.example:8080', host: 'cache.example:8080' }],
    [200, { 'content-type': 'Application/JSON; charset=utf-8' }],
    [403, { 'sec-fetch-site': 'same-site' }],
    [403, { 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'none' }],
    [403, { origin: 'http://other.example', host: 'cache.example' }],
    [403, { origin: 'http://cache.example:81', host: 'cache.example' }],
    [403, { origin: 'null' }],
    [403, { 'x-cache-dashboard': undefined }],
    [403, { 'x-cache-dashboard': 'true' }],
    [403, { 'content-type': 'text/plain' }],
    [403, { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('answers %p to who sends %p', async (status, headers) => {
    const cache = await start();
    await cache.set('key', 1);

    const reply = await app!.act('delete', { cache: 'default', key: 'key' }, headers);

    expect([reply.status, cache.has('key')]).toEqual([status, status !== 200]);
  });

  it.each([
    [
      'delete',
      { cache: 'other', key: 'key' },
      404,
      'There is no cache "other"; there are: default.',
    ],
    ['delete', { cache: '__proto__', key: 'key' }, 404, 'There is no cache "__proto__"'],
    ['constructor', { cache: 'default' }, 404, 'There is no action "constructor".'],
    ['delete', 'no JSON', 400, ''],
    ['delete', [], 400, 'The body must be an object with the name of a cache as cache.'],
    ['delete', { key: 'key' }, 400, 'The body must be an object'],
    ['delete', { cache: 'default' }, 400, 'A cache key must be a string; got undefined.'],
    ['inspect', { cache: 'default', key: 7 }, 400, 'A cache key must be a string; got 7.'],
    ['inspect', { cache: 'default', key: '' }, 400, 'A cache key must not be empty'],
    [
      'delete',
      { cache: 'default', key: 'k'.repeat(1_025) },
      400,
      'must have at most 1024 characters',
    ],
    ['delete', { cache: 'default', key: 'k', keys: [] }, 400, 'The body has an unknown "keys"'],
    [
      'delete',
      { cache: 'default', key: 'k', namespace: 'a' },
      400,
      'namespace must be a list of names',
    ],
    ['clear', { cache: 'default', namespace: ['a b'] }, 400, "A namespace's name must be"],
    [
      'clear',
      { cache: 'default', namespace: ['a', 'b', 'c', 'd', 'e'] },
      400,
      'Namespaces nest at most 4 deep',
    ],
    ['invalidate-tags', { cache: 'default' }, 400, 'tags must be a list of tags, got undefined.'],
    ['invalidate-tags', { cache: 'default', tags: [] }, 400, 'tags must be a list of tags'],
    ['invalidate-tags', { cache: 'default', tags: [''] }, 400, 'tag'],
    ['delete', { cache: 'default', key: 'k'.repeat(70_000) }, 413, 'at most 65536 bytes'],
  ])('refuse %s: case %#', async (action, body, status, message) => {
    await start();

    const [got, told] = await refused(action, body);

    expect(got).toBe(status);
    expect(told).toContain(message);
  });

  it('tell nothing of the inside where something fails', async () => {
    const cache = await start();
    jest.spyOn(cache, 'clear').mockRejectedValue(new Error('secret'));

    expect(await refused('clear', { cache: 'default' })).toEqual([
      500,
      'It has failed: see the log of the application.',
    ]);
  });
});

describe('the body of an action', () => {
  it.each<[string, DashboardAppOptions]>([
    ['left where it is', { bodyParser: false }],
    [
      'read as text',
      {
        prepare: (nest) =>
          void (nest as NestExpressApplication).useBodyParser('text', { type: '*/*' }),
      },
    ],
  ])('may be %s', async (_what, options) => {
    const dashboard = { guard: OPEN, mutations: true };
    app = await DashboardApp.start(ADAPTERS[0]![1], { dashboard, ...options });
    const cache = app.http.get(CacheHierarchy);
    await cache.set('key', 1);

    const reply = await app.act('delete', { cache: 'default', key: 'key' });

    expect([reply.status, cache.has('key')]).toEqual([200, false]);
    expect(await app.act('delete', '{')).toMatchObject({
      status: 400,
      body: '{"message":"The body must be JSON."}',
    });
  });

  it('is read to a limit', async () => {
    const dashboard = { guard: OPEN, mutations: true };
    app = await DashboardApp.start(ADAPTERS[0]![1], { dashboard, bodyParser: false });
    const body = { cache: 'default', key: 'k'.repeat(1_000_000) };
    const chunked = { 'content-length': undefined, 'transfer-encoding': 'chunked' };

    expect(await app.act('delete', body, chunked)).toMatchObject({
      status: 413,
      body: '{"message":"The body must have at most 65536 bytes."}',
    });
  });
});
