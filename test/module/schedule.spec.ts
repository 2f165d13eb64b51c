import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  CacheCleanupScheduler,
  CacheHierarchy,
  CacheHierarchyModule,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { CACHE_CLEANUP_INTERVAL, CacheScheduleModule } from 'nestjs-cache-hierarchy/schedule';
import { CacheRegistry } from '../../lib/binding/cache.registry.js';
import { bootAlone, closeAll, start } from './boot.js';

const DAY_MS = 86_400_000;

function modulesOf(options: CacheHierarchyOptions) {
  return [CacheHierarchyModule.forRoot(options), ScheduleModule.forRoot(), CacheScheduleModule];
}

/** Starts an application whose L1, its only level, is swept every 30 seconds. */
async function bootWith(
  cleanupInterval: '30s' | '60d' | false = '30s',
): Promise<{ app: TestingModule; registry: SchedulerRegistry; cache: CacheHierarchy }> {
  const app = await bootAlone({
    imports: modulesOf({ l1: { ttl: '5s', cleanupInterval }, l2: false }),
  });
  return { app, registry: app.get(SchedulerRegistry), cache: app.get(CacheHierarchy) };
}

function isListed(registry: SchedulerRegistry): boolean {
  return registry.doesExist('interval', CACHE_CLEANUP_INTERVAL);
}

describe(CacheScheduleModule.name, () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });

  afterEach(async () => {
    await closeAll();
    jest.useRealTimers();
  });

  it('lists the cleanup from the start of the application to its end', async () => {
    const compiled = await Test.createTestingModule({ imports: modulesOf({}) }).compile();
    const registry = compiled.get(SchedulerRegistry);
    expect(isListed(registry)).toBe(false);

    await start(compiled);
    expect(registry.getIntervals()).toEqual(['cache-hierarchy:cleanup']);

    await closeAll();
    expect(registry.getIntervals()).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lists the timer that is armed, which removes what expired and keeps no process alive', async () => {
    const { app, registry, cache } = await bootWith();

    for (let sweep = 1; sweep <= 3; sweep += 1) {
      await cache.set('place:1', 'Paris');
      const timer = registry.getInterval<NodeJS.Timeout>(CACHE_CLEANUP_INTERVAL);
      expect(timer.hasRef()).toBe(false);

      await jest.advanceTimersByTimeAsync(30_010);

      expect(cache.l1.size).toBe(0);
      expect(app.get(CacheCleanupScheduler).status().removed).toBe(sweep);
      expect(registry.getInterval(CACHE_CLEANUP_INTERVAL)).not.toBe(timer);
    }
  });

  it('lists the timer of a time that is too long for one of Node, too', async () => {
    const { app, registry } = await bootWith('60d');
    const first = registry.getInterval(CACHE_CLEANUP_INTERVAL);

    await jest.advanceTimersByTimeAsync(30 * DAY_MS);
    expect(registry.getInterval(CACHE_CLEANUP_INTERVAL)).not.toBe(first);
    expect(app.get(CacheCleanupScheduler).status().runs).toBe(0);

    await jest.advanceTimersByTimeAsync(30 * DAY_MS + 10);
    expect(app.get(CacheCleanupScheduler).status().runs).toBe(1);
  });

  it.each<['30s' | '60d', number]>([
    ['30s', 0],
    ['60d', 30 * DAY_MS],
  ])('stops the cleanup of %s that is deleted there after %d ms', async (interval, afterMs) => {
    const { app, registry } = await bootWith(interval);
    await jest.advanceTimersByTimeAsync(afterMs);

    const scheduler = app.get(CacheCleanupScheduler);
    expect(scheduler.status().running).toBe(true);
    registry.deleteInterval(CACHE_CLEANUP_INTERVAL);
    const stopped = { running: false, nextRunAt: undefined, runs: 0 };
    expect(scheduler.status()).toMatchObject(stopped);
    await jest.advanceTimersByTimeAsync(120 * DAY_MS);

    expect(scheduler.status()).toMatchObject(stopped);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves a cleanup alone that was deleted there, whatever is added afterwards', async () => {
    const { app, registry } = await bootWith();
    registry.deleteInterval(CACHE_CLEANUP_INTERVAL);
    const own = setInterval(() => {}, 1_000);
    registry.addInterval(CACHE_CLEANUP_INTERVAL, own);

    const sweeper = app.get(CacheRegistry, { strict: false }).sweeperFor('a test');
    const swept = { name: 'another', sweepEveryMs: 10, sweep: jest.fn<never>() };
    sweeper.add(swept);
    sweeper.remove(swept);
    await jest.advanceTimersByTimeAsync(DAY_MS);

    expect(swept.sweep).not.toHaveBeenCalled();
    expect(registry.getInterval(CACHE_CLEANUP_INTERVAL)).toBe(own);
  });

  it('lists nothing where nothing is cleaned from time to time', async () => {
    const { registry } = await bootWith(false);

    expect(isListed(registry)).toBe(false);
  });

  it('fails the start of an application with another interval of this name, and runs nothing then', async () => {
    const app = await Test.createTestingModule({ imports: modulesOf({}) }).compile();
    const own = setInterval(() => {}, 1_000);
    app.get(SchedulerRegistry).addInterval(CACHE_CLEANUP_INTERVAL, own);

    await expect(app.init()).rejects.toThrow(/cache-hierarchy:cleanup.*already exists/);

    expect(jest.getTimerCount()).toBe(1);
    clearInterval(own);
    await app.close().catch(() => {});
  });

  it('refuses an application without the module of the scheduler, by its name', async () => {
    const started = bootAlone({ imports: [CacheHierarchyModule.forRoot(), CacheScheduleModule] });

    await expect(started).rejects.toThrow(/SchedulerRegistry/);
  });
});
