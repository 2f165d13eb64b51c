import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { HttpException, Logger, type DynamicModule } from '@nestjs/common';
import {
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
  type CacheHierarchyOptions,
  type CacheReport,
  type NamedCacheSettings,
} from 'nestjs-cache-hierarchy';
import { SETTINGS } from '../../lib/config/settings.js';
import { ScopedLevel } from '../support/scoped-level.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { bootAlone, closeAll } from './boot.js';

type Configure = (options: NamedCacheSettings) => DynamicModule;

const WAYS: [string, Configure][] = [
  ['forFeature', (options) => CacheHierarchyModule.forFeature([{ name: 'named', ...options }])],
  [
    'forFeatureAsync',
    (options) =>
      CacheHierarchyModule.forFeatureAsync([{ name: 'named', useFactory: async () => options }]),
  ],
];

/** Starts an application with a default cache of `root` and a named one. */
async function bootNamed(
  root: CacheHierarchyOptions,
  options: NamedCacheSettings = {},
  configure: Configure = WAYS[0]![1],
): Promise<{ main: CacheHierarchy; cache: CacheHierarchy }> {
  const app = await bootAlone({
    imports: [CacheHierarchyModule.forRoot(root), configure(options)],
  });
  return { main: app.get(CacheHierarchy), cache: app.get(getCacheToken('named')) };
}

function withoutScope(): ScopedLevel {
  return Object.assign(new ScopedLevel(), { scope: undefined });
}

function shardsOf({ l1, l2 }: CacheHierarchy): (number | undefined)[] {
  return [l1, l2].map((level) => level?.getMetrics().shards.length);
}

/** How many of 1,000 entries a level holds. */
async function boundsOf(cache: CacheHierarchy): Promise<(number | undefined)[]> {
  for (let id = 0; id < 1_000; id += 1) await cache.set(`key:${id}`, id);
  return [cache.l1.size, cache.l2?.size];
}

describe('the options of a named cache', () => {
  afterEach(async () => {
    await closeAll();
    for (const { name } of SETTINGS) delete process.env[name];
  });

  it.each(WAYS)('win over those of the root, field by field, in %s', async (_, configure) => {
    const { cache } = await bootNamed(
      { l1: { maxEntries: 256, numShards: 2 }, l2: { maxEntries: 512 } },
      { l1: { numShards: 1 } },
      configure,
    );

    expect(shardsOf(cache)).toEqual([1, 4]);
    expect(await boundsOf(cache)).toEqual([256, 512]);
  });

  it.each(WAYS)(
    'win over those of the environment, which win over the defaults, in %s',
    async (_, configure) => {
      process.env.CACHE_HIERARCHY_L1_MAX_SIZE = '256';
      process.env.CACHE_HIERARCHY_L2_MAX_SIZE = '512';
      const { main, cache } = await bootNamed({}, { l1: { maxEntries: 128 } }, configure);

      expect(shardsOf(main)).toEqual([2, 4]);
      expect(shardsOf(cache)).toEqual([1, 4]);
      expect(await boundsOf(cache)).toEqual([128, 512]);
    },
  );

  it('derive their defaults from what was merged', async () => {
    const clock = new VirtualClock();
    const { main, cache } = await bootNamed({ clock, l2: { ttl: '1h' } }, { l2: { ttl: '2h' } });

    await Promise.all([main.set('key', 1), cache.set('key', 1)]);
    await clock.advance(3_600_001);

    expect([main.peek('key'), cache.peek('key')]).toEqual([undefined, 1]);
  });

  it('have the environment below an l2 that the root does not have', async () => {
    process.env.CACHE_HIERARCHY_L2_MAX_SIZE = '512';
    const { main, cache } = await bootNamed({ l2: false }, { l2: { ttl: '1h' } });

    expect(main.l2).toBeNull();
    expect((await boundsOf(cache))[1]).toBe(512);
  });

  it('bound each cache for itself', async () => {
    const { main, cache } = await bootNamed({ l1: { maxEntries: 200 }, l2: false });

    expect(await boundsOf(cache)).toEqual([200, undefined]);
    expect(await boundsOf(main)).toEqual([200, undefined]);
    expect(cache.l1.size).toBe(200);
  });

  it('may switch one cache off, or on where the root is off', async () => {
    process.env.CACHE_HIERARCHY_ENABLED = 'false';
    const { main, cache } = await bootNamed({}, { enabled: true });

    expect([main.active, cache.active]).toEqual([false, true]);
    await closeAll();
    expect((await bootNamed({})).cache.active).toBe(false);
  });

  it('pass HttpExceptions below 500 through, as the default cache does', async () => {
    const clock = new VirtualClock();
    const { cache } = await bootNamed({ clock, ttl: '1s', grace: '1h' });
    await cache.set('key', 'stale');
    await clock.advance(2_000);
    const fail = (status: number) => () => Promise.reject(new HttpException('no', status));

    await expect(cache.getOrSet('key', fail(404))).rejects.toThrow('no');
    expect(await cache.getOrSet('key', fail(503))).toBe('stale');
  });

  it('are refused with every problem, under the name of the cache', async () => {
    const options = { ttl: -1, l1: { numShards: 0 }, size: 5, maxWorkers: 2 } as NamedCacheSettings;

    await expect(bootNamed({}, options)).rejects.toMatchObject({
      message: expect.stringMatching(/^CacheHierarchy 'named' has 4 problems in its options:/),
      problems: [
        { option: 'maxWorkers', message: expect.stringMatching(/^is one for all caches/) },
        { option: 'l1.numShards', message: expect.stringMatching(/whole number.*got 0/) },
        { option: 'ttl', message: expect.stringMatching(/positive number.*got -1/) },
        { option: 'size', message: expect.stringMatching(/is unknown/) },
      ],
    });
    await expect(bootNamed({}, null as never, WAYS[1]![1])).rejects.toThrow(
      /^CacheHierarchy 'named' .*\n {2}- options: must be an object, got null/,
    );
  });

  it('are refused where the factory returns none', async () => {
    const returnsNothing = { name: 'sessions', useFactory: () => undefined as never };
    const started = bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheHierarchyModule.forFeatureAsync([returnsNothing]),
      ],
    });

    await expect(started).rejects.toThrow(/'sessions' has 1 problem.*\n {2}- options: must be/);
  });

  it('name the variable where the bad value is the one of the environment', async () => {
    process.env.ASYNC_CACHE_NUM_SHARDS = '9999';
    const root = { l1: { numShards: 8 }, l2: false } as const;

    await expect(bootNamed(root, { l2: {} })).rejects.toMatchObject({
      message: expect.stringMatching(/^CacheHierarchy 'named' /),
      problems: [{ option: 'ASYNC_CACHE_NUM_SHARDS' }],
    });
  });

  it('are advised on in the name of the cache, in its report and in the log', async () => {
    const reports: CacheReport[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const options = { softTimeout: '1s', l1: { maxEntries: 100, numShards: 50 } } as const;

    await bootNamed({}, { ...options, report: (report) => reports.push(report) });
    await closeAll();
    await bootNamed({}, options);

    expect(reports).toEqual([
      {
        code: 'CACHE_SMALL_SHARDS',
        cache: 'named',
        message: expect.stringMatching(/^CacheHierarchy 'named' L1: 50 shards/),
      },
      {
        code: 'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE',
        cache: 'named',
        message: expect.stringMatching(/^CacheHierarchy 'named': softTimeout/),
      },
    ]);
    expect(warn.mock.calls.flat()).toEqual(reports.map(({ message }) => message));
    warn.mockRestore();
  });
});

describe('the levels of a named cache', () => {
  afterEach(closeAll);

  it('have the scope of its name below them, and are cleared apart', async () => {
    const remote = new ScopedLevel();
    const { main, cache } = await bootNamed({ remote });
    await Promise.all([main.set('key', 'main'), cache.set('key', 'named')]);

    expect([...remote.scopes.keys()]).toEqual(['named']);
    expect(remote.entries.get('key')?.value).toBe('main');
    expect(remote.scope('named').entries.get('key')?.value).toBe('named');
    await main.clear();
    expect(await cache.get('key')).toBe('named');
    await cache.clear();
    expect([remote.entries.size, remote.scope('named').entries.size]).toEqual([0, 0]);
  });

  it('are a remote of its own, or none, where it says so', async () => {
    const remote = withoutScope();
    const own = new ScopedLevel('own');

    const withOwn = (await bootNamed({ remote }, { remote: own })).cache;
    await closeAll();
    const withNone = (await bootNamed({ remote: withoutScope() }, { remote: false })).cache;

    expect(Object.keys(withOwn.getMetrics().lower)).toEqual(['remote']);
    expect([remote.closed, own.closed, own.scopes.size]).toEqual([1, 1, 0]);
    expect(withNone.getMetrics().lower).toEqual({});
  });

  it('are refused where the remote of the root has no scopes', async () => {
    await expect(bootNamed({ remote: withoutScope() })).rejects.toThrow(
      /^CacheHierarchy 'named' has 1 problem.*\n.*remote: can not be shared: the level store .* remote: false/,
    );
  });

  it('are refused where the l2 of the root is one of its own', async () => {
    const l2 = new ScopedLevel('disk');

    await expect(bootNamed({ l2 })).rejects.toThrow(
      /^CacheHierarchy 'named' has 1 problem.*\n.*l2: can not be shared: the level disk belongs/,
    );
    expect((await bootNamed({ l2: new ScopedLevel() }, { l2: {} })).cache.l2).not.toBeNull();
    await closeAll();
    expect((await bootNamed({ l2: new ScopedLevel() }, { l2: false })).cache.l2).toBeNull();
  });

  it('are refused where they are the level objects of another cache', async () => {
    const level = new ScopedLevel();

    await expect(bootNamed({ remote: level }, { remote: level })).rejects.toThrow(
      /^CacheHierarchy 'named' .*\n.*remote: is the level of CacheHierarchy, and/,
    );
    await expect(
      bootAlone({
        imports: [
          CacheHierarchyModule.forRoot(),
          CacheHierarchyModule.forFeature([
            { name: 'a', l2: level },
            { name: 'b', remote: level },
          ]),
        ],
      }),
    ).rejects.toThrow(/^CacheHierarchy 'b' .*\n.*remote: is the level of CacheHierarchy 'a', and/);
  });

  it('are refused where the scope is no level', async () => {
    const remote = Object.assign(new ScopedLevel(), { scope: () => ({}) as never });

    await expect(bootNamed({ remote })).rejects.toThrow(
      /^CacheHierarchy 'named' .*\n.*remote: must have the methods read/,
    );
  });
});
