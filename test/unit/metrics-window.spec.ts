import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy, metricsSince, MetricsWindow } from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

async function read(times: number): Promise<void> {
  for (let count = 0; count < times; count++) await cache.get('key');
}

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
});

afterEach(async () => {
  await cache.close();
});

describe(MetricsWindow.name, () => {
  it('tells of nothing at first', () => {
    const window = new MetricsWindow({ over: '1m', clock });

    expect(window.add(cache.getMetrics())).toMatchObject({ overMs: 0, metrics: { gets: 0 } });
  });

  it('tells what happened in the window, and forgets what was before it', async () => {
    const window = new MetricsWindow({ over: 60_000, clock });
    window.add(cache.getMetrics());
    await read(3);
    await clock.advance(30_000);
    expect(window.add(cache.getMetrics())).toMatchObject({ overMs: 30_000, metrics: { gets: 3 } });

    await read(2);
    await clock.advance(30_000);
    expect(window.add(cache.getMetrics())).toMatchObject({ overMs: 60_000, metrics: { gets: 5 } });

    await clock.advance(30_000);
    expect(window.add(cache.getMetrics())).toMatchObject({ overMs: 60_000, metrics: { gets: 2 } });
  });

  it('is as exact as its snapshots where it is asked often, and keeps few of them', async () => {
    const window = new MetricsWindow({ over: 6_000, clock });
    window.add(cache.getMetrics());
    const beginnings = new Set<number>();
    for (let turn = 0; turn < 2_000; turn++) {
      await clock.advance(10);
      await read(1);
      const { overMs, metrics } = window.add(cache.getMetrics());
      expect(metrics.gets).toBe(Math.round(overMs / 10));
      expect(overMs).toBeLessThan(6_000 + 100);
      beginnings.add(clock.now() - overMs);
    }
    expect(beginnings.size).toBeLessThanOrEqual(2_000 / 10);
  });

  it('counts from the reset where counters were reset in it', async () => {
    const window = new MetricsWindow({ over: '1m', clock });
    await read(5);
    window.add(cache.getMetrics());
    cache.resetMetrics();
    // More of some than before, and less of others.
    await read(7);
    await cache.set('key', 1);
    await clock.advance(1_000);

    expect(window.add(cache.getMetrics()).metrics).toEqual(cache.getMetrics());
    expect(cache.getMetrics()).toMatchObject({ resets: 1, gets: 7, sets: 1 });
    await read(1);
    cache.resetMetrics();
    expect(cache.getMetrics()).toMatchObject({ resets: 2, gets: 0 });
  });

  it('refuses a window that is none', () => {
    expect(() => new MetricsWindow({ over: 0, clock })).toThrow('A duration must be');
  });
});

describe(metricsSince.name, () => {
  it('leaves what is as it is, and changes neither snapshot', async () => {
    await cache.set('key', 1);
    const earlier = cache.getMetrics();
    await cache.set('other', 1);
    const later = cache.getMetrics();
    const copies = structuredClone([earlier, later]);

    expect(metricsSince(earlier, later)).toMatchObject({ sets: 1, levels: { L1: { size: 2 } } });
    expect([earlier, later]).toEqual(copies);
  });
});
