import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  CacheCleanupScheduler,
  CacheHierarchy,
  CacheHierarchyModule,
} from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { bootAlone, closeAll } from './boot.js';

/** Starts an application whose L1 is swept every 30 seconds and whose L2 every minute. */
async function bootWith(clock: VirtualClock): Promise<[CacheCleanupScheduler, CacheHierarchy]> {
  const options = {
    clock,
    l1: { ttl: '5s', cleanupInterval: '30s' },
    l2: { ttl: '1h', cleanupInterval: '60s' },
  } as const;
  const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot(options)] });
  return [app.get(CacheCleanupScheduler), app.get(CacheHierarchy)];
}

describe(CacheCleanupScheduler.name, () => {
  let debug: jest.SpiedFunction<Logger['debug']>;

  beforeEach(() => {
    debug = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => {});
  });

  afterEach(async () => {
    debug.mockRestore();
    await closeAll();
  });

  it('tells what has not run yet and when the first sweep is due', async () => {
    const clock = new VirtualClock();
    const [scheduler] = await bootWith(clock);

    expect(scheduler.status()).toMatchObject({
      running: true,
      lastRunAt: undefined,
      lastRemoved: 0,
      removed: 0,
      runs: 0,
      longestSliceMs: 0,
      nextRunAt: clock.wallNow() + 30_000,
    });
  });

  it('removes what expired, and tells when, how much and what is next', async () => {
    const clock = new VirtualClock();
    const [scheduler, cache] = await bootWith(clock);
    for (let id = 0; id < 100; id += 1) await cache.set(`place:${id}`, id);

    await clock.advance(30_000);

    expect(cache.l1.size).toBe(0);
    expect(cache.l2?.size).toBe(100);
    expect(scheduler.status()).toMatchObject({
      running: true,
      lastRunAt: clock.wallNow(),
      lastRemoved: 100,
      removed: 100,
      runs: 1,
      nextRunAt: clock.wallNow() + 30_000,
    });
  });

  it('logs a sweep that removed something in one line, and no other', async () => {
    const clock = new VirtualClock();
    const [, cache] = await bootWith(clock);
    await cache.set('place:1', 'place 1');

    await clock.advance(30_000);
    await clock.advance(30_000);

    expect(debug).toHaveBeenCalledTimes(1);
    expect(debug).toHaveBeenCalledWith(
      expect.stringMatching(/^Swept L1: 1 removed in .* ms, longest slice .* ms\.$/),
    );
  });

  it('tells that it stopped once the application closes', async () => {
    const [scheduler] = await bootWith(new VirtualClock());

    await closeAll();

    expect(scheduler.status()).toMatchObject({ running: false, nextRunAt: undefined });
  });
});
