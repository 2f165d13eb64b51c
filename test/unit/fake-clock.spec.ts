import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock({ startAt: new Date('2026-05-01T12:00:00Z') });
});

afterEach(() => {
  jest.useRealTimers();
});

/** What it shares with the clock of our own tests is in the spec of that. */
describe(FakeClock.name, () => {
  it('shows the time that it was given, and moves both clocks alike', async () => {
    const begun = clock.now();
    await clock.advance('90s');
    clock.block('1m');

    expect(new Date(clock.wallNow()).toISOString()).toBe('2026-05-01T12:02:30.000Z');
    expect(clock.now() - begun).toBe(150_000);
  });

  it('shows the first day of 2024 by default', () => {
    expect(new Date(new FakeClock().wallNow()).toISOString()).toBe('2024-01-01T00:00:00.000Z');
  });

  it.each([Infinity, Number.NaN, 'soon'])('is not moved by %p', async (duration) => {
    await expect(clock.advance(duration as number)).rejects.toMatchObject({
      code: 'CACHE_INVALID_ARGUMENT',
    });
  });

  it('moves on where the test runner has faked the timers', async () => {
    jest.useFakeTimers();
    let ran = false;
    clock.setTimer(() => {
      ran = true;
    }, 10);

    await clock.advance(10);

    expect(ran).toBe(true);
  });

  it('ends the lifetimes of a cache, and runs its sweeps', async () => {
    const cache = new CacheHierarchy({ clock, l2: false, l1: { ttl: '60s' } });
    await cache.set('key', 1);

    await clock.advance('59s');
    const before = cache.has('key');
    await clock.advance('31s');

    expect([before, cache.has('key'), cache.l1.size]).toEqual([true, false, 0]);
    await cache.close();
    expect(clock.pending).toBe(0);
  });
});
