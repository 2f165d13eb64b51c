import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  CacheCleanupScheduler,
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
  type CacheHierarchyOptions,
  type NamedCacheSettings,
} from 'nestjs-cache-hierarchy';
import { CacheRegistry } from '../../lib/binding/cache.registry.js';
import { ScopedLevel } from '../support/scoped-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

function compile(
  root: CacheHierarchyOptions,
  options: NamedCacheSettings = {},
): Promise<TestingModule> {
  return Test.createTestingModule({
    imports: [
      CacheHierarchyModule.forFeature([{ name: 'sessions', ...options }]),
      CacheHierarchyModule.forRoot(root),
    ],
  }).compile();
}

function sessionsOf(app: TestingModule): CacheHierarchy {
  return app.get(getCacheToken('sessions'));
}

describe('the sweeps of named caches', () => {
  let debug: jest.SpiedFunction<Logger['debug']>;

  beforeEach(() => {
    debug = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => {});
  });

  afterEach(() => debug.mockRestore());

  it('run from the one timer of the application, and are reported with the others', async () => {
    const clock = new VirtualClock();
    const app = await (await compile({ clock }, { l1: { cleanupInterval: '10s' } })).init();
    const scheduler = app.get(CacheCleanupScheduler);
    await app.get(CacheHierarchy).set('key', 1, { ttl: '1s' });
    await sessionsOf(app).set('key', 1, { ttl: '1s' });

    expect(clock.pending).toBe(1);
    expect(scheduler.status()).toMatchObject({
      running: true,
      nextRunAt: clock.wallNow() + 10_000,
    });
    await clock.advance(10_000);
    expect(scheduler.status()).toMatchObject({ removed: 1, runs: 1 });
    expect(debug).toHaveBeenLastCalledWith(expect.stringMatching(/^Swept sessions L1: 1 removed/));
    await clock.advance(20_000);
    expect(scheduler.status()).toMatchObject({ removed: 2 });
    expect(debug).toHaveBeenLastCalledWith(expect.stringMatching(/^Swept L1: 1 removed/));
    await app.close();
    expect(clock.pending).toBe(0);
  });

  it('run where only a named cache is on', async () => {
    const clock = new VirtualClock();
    const app = await (await compile({ clock, enabled: false }, { enabled: true })).init();
    await sessionsOf(app).set('key', 1, { ttl: '1s' });

    await clock.advance(60_000);

    expect(app.get(CacheCleanupScheduler).status()).toMatchObject({ running: true, removed: 2 });
    await app.close();
  });

  it('begin when a module is loaded lazily', async () => {
    const clock = new VirtualClock();
    const app = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot({ clock, enabled: false })],
    }).compile();
    await app.init();
    @Module({
      imports: [CacheHierarchyModule.forFeature([{ name: 'sessions', enabled: true, l2: false }])],
    })
    class SessionsModule {}

    expect(clock.pending).toBe(0);
    await app.get(LazyModuleLoader).load(() => SessionsModule);
    expect(clock.pending).toBe(1);
    await app.close();
    expect(clock.pending).toBe(0);
  });

  it('remove what is expired in one cache alone when it is asked', async () => {
    const clock = new VirtualClock();
    const app = await compile({ clock, l2: false });
    await app.get(CacheHierarchy).set('key', 1, { ttl: '1s' });
    await sessionsOf(app).set('key', 1, { ttl: '1s' });
    await clock.advance(2_000);

    const removed = sessionsOf(app).removeExpired();
    await clock.turn();

    expect(await removed).toBe(1);
    expect(app.get(CacheHierarchy).l1.size).toBe(1);
    await app.close();
  });
});

describe('the end of named caches', () => {
  it('comes before the remote is closed, which happens once', async () => {
    const remote = new ScopedLevel();
    const app = await (await compile({ remote })).init();
    const sessions = sessionsOf(app);
    await sessions.set('key', 1);
    let wasActive: boolean | undefined;
    remote.close = async () => {
      remote.closed += 1;
      wasActive = sessions.active;
    };

    await app.close();
    await sessions.close();

    expect(wasActive).toBe(false);
    expect([remote.closed, remote.scope('sessions').closed]).toEqual([1, 0]);
    expect([sessions.l1.size, sessions.l2?.size]).toEqual([0, 0]);
    expect(await sessions.getOrSet('key', () => 'loaded')).toBe('loaded');
  });

  it('leaves the remote open when one of them is closed alone', async () => {
    const remote = new ScopedLevel();
    const app = await (await compile({ remote })).init();

    await sessionsOf(app).close();

    expect([remote.closed, remote.scope('sessions').closed]).toEqual([0, 0]);
    await app.get(CacheHierarchy).set('key', 1);
    expect(remote.entries.size).toBe(1);
    await app.close();
  });

  it('comes in an application that was never initialised', async () => {
    const clock = new VirtualClock();
    const remote = new ScopedLevel();
    const app = await compile({ clock, remote });
    const sessions = sessionsOf(app);

    expect(clock.pending).toBe(0);
    await app.close();

    expect([sessions.active, remote.closed, clock.pending]).toEqual([false, 1, 0]);
  });

  it('comes for a cache whose place another takes, and for one that comes too late', async () => {
    const app = await compile({});
    const [former, registry] = [sessionsOf(app), app.get(CacheRegistry)];
    const [next, late] = [new CacheHierarchy(), new CacheHierarchy()];

    await registry.add('sessions', next);
    expect([former.active, next.active]).toEqual([false, true]);
    await app.close();
    await registry.add('late', late);

    expect([next.active, late.active]).toEqual([false, false]);
  });

  it('closes each of two roots, which were refused', async () => {
    const remotes = [new ScopedLevel(), new ScopedLevel()];
    const app = await Test.createTestingModule({
      imports: remotes.map((remote) => CacheHierarchyModule.forRoot({ remote })),
    }).compile();

    await expect(app.init()).rejects.toThrow(/was called 2 times/);
    // Nest 11 closes nothing of an application that failed to start: it rejects with the same error.
    await app.close().catch(() => app.get(CacheRegistry).onApplicationShutdown());

    expect(remotes.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});
