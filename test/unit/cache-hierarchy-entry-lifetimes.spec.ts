import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
});

afterEach(async () => {
  await cache.close();
  expect(clock.pending).toBe(0);
});

const HOUR_MS = 3_600_000;

/** A wall clock that a test sets, as an operator does, beside a clock that goes on. */
class JumpingClock extends VirtualClock {
  #jumpedMs = 0;

  override wallNow(): number {
    return super.wallNow() + this.#jumpedMs;
  }

  jump(ms: number): void {
    this.#jumpedMs += ms;
  }
}

/** How long a key is there, in whole milliseconds, up to a minute. */
function livesMs(key: string): number {
  for (let ms = 0; ms < 60_000; ms++) {
    if (!cache.has(key)) return ms;
    clock.block(1);
  }
  return Infinity;
}

describe(`${CacheHierarchy.name}: expiresAt and a wall clock that is set`, () => {
  it.each([5 * HOUR_MS, -5 * HOUR_MS])(
    'keeps what was stored before a jump of %i ms',
    async (ms) => {
      const jumping = new JumpingClock();
      clock = jumping;
      open({ grace: 100 });
      await cache.set('set', 1, { expiresAt: jumping.wallNow() + 40 });
      await cache.getOrSet('loaded', () => 1, { expiresAt: new Date(jumping.wallNow() + 40) });

      jumping.jump(ms);

      const [entry] = (await cache.inspect('loaded')).toReversed();
      expect(entry).toMatchObject({ freshForMs: 40, keptForMs: 140, stale: false });
      expect(livesMs('set')).toBe(40);
      expect(cache.has('loaded')).toBe(false);
    },
  );

  it.each([5 * HOUR_MS, -5 * HOUR_MS])('counts from the wall clock after it, %i ms', async (ms) => {
    const jumping = new JumpingClock();
    clock = jumping;
    open();
    jumping.jump(ms);
    await cache.set('key', 1, { expiresAt: jumping.wallNow() + 40 });

    expect(livesMs('key')).toBe(40);
  });

  it.each([5 * HOUR_MS, -5 * HOUR_MS])('is not moved by Date either, set by %i ms', async (ms) => {
    cache = new CacheHierarchy();
    const before = Date.now();
    await cache.set('key', 1, { expiresAt: before + HOUR_MS });
    const date = jest.spyOn(Date, 'now').mockReturnValue(before + ms);

    const [entry] = await cache.inspect('key');
    date.mockRestore();

    expect(cache.has('key')).toBe(true);
    expect(entry!.stale).toBe(false);
    const [last] = (await cache.inspect('key')).toReversed();
    expect(last!.freshForMs).toBeGreaterThan(HOUR_MS / 2);
    expect(last!.freshForMs).toBeLessThanOrEqual(HOUR_MS);
  });
});

describe(`${CacheHierarchy.name}: expiresAt`, () => {
  it('ends an entry at a date, or at a number of milliseconds since 1970', async () => {
    open();
    await cache.set('date', 1, { expiresAt: new Date(clock.wallNow() + 40) });
    await cache.getOrSet('number', () => 1, { expiresAt: clock.wallNow() + 40 });

    expect([cache.has('date'), cache.has('number')]).toEqual([true, true]);
    clock.block(39);
    expect([cache.has('date'), cache.has('number')]).toEqual([true, true]);
    clock.block(1);
    expect([cache.has('date'), cache.has('number')]).toEqual([false, false]);
  });

  it('stores nothing when it has passed, returns what was loaded, and removes what a set replaces', async () => {
    open();
    await cache.set('key', 'before');
    await cache.set('key', 'after', { expiresAt: clock.wallNow() });
    const loaded = await cache.getOrSet('other', () => 1, { expiresAt: clock.wallNow() - 1 });

    expect([loaded, cache.has('key'), cache.has('other')]).toEqual([1, false, false]);
    expect(cache.getMetrics()).toMatchObject({ unstored: 2, sets: 1 });
  });

  it('gives way to what the loader says', async () => {
    open();
    await cache.getOrSet('key', ({ ttl }) => (ttl(10), 1), { expiresAt: clock.wallNow() + 5_000 });

    expect(livesMs('key')).toBe(10);
  });

  it('is not moved by jitter', async () => {
    open({ jitter: 0.9 });
    await cache.set('key', 1, { expiresAt: clock.wallNow() + 40 });

    expect(livesMs('key')).toBe(40);
  });

  it.each([Number.NaN, Infinity, 'tomorrow', new Date(Number.NaN)])('refuses %p', async (date) => {
    open();

    await expect(cache.set('key', 1, { expiresAt: date as Date })).rejects.toThrow(
      'expiresAt must be a Date or a number of milliseconds since 1970',
    );
  });

  it('refuses to stand beside a ttl', async () => {
    open();

    await expect(cache.set('key', 1, { ttl: 1, expiresAt: 1 })).rejects.toThrow(
      'A call says ttl or expiresAt, not both',
    );
  });
});

describe(`${CacheHierarchy.name}: jitter`, () => {
  it('spreads lifetimes evenly around the ttl, and by no more than its share', async () => {
    open({ l2: false });
    const lives: number[] = [];
    for (let id = 0; id < 400; id++) {
      await cache.set(`key-${id}`, 1, { ttl: 100, jitter: 0.2 });
      lives.push(livesMs(`key-${id}`));
    }

    const mean = lives.reduce((sum, ms) => sum + ms, 0) / lives.length;
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(80);
    expect(Math.max(...lives)).toBeLessThanOrEqual(120);
    expect(new Set(lives).size).toBeGreaterThan(20);
    expect(Math.abs(mean - 100)).toBeLessThan(4);
  });

  it('leaves what lives for ever alone', async () => {
    open({ jitter: 0.5 });
    await cache.set('key', 1, { ttl: Infinity });
    clock.block(1e12);

    expect(cache.has('key')).toBe(true);
  });
});

describe(`${CacheHierarchy.name}: negativeTtl`, () => {
  it('is how long a null lives, whatever ttl its call gave', async () => {
    open({ negativeTtl: 20 });
    await cache.getOrSet('absent', () => null, { ttl: 500 });
    await cache.getOrSet('present', () => 0, { ttl: 50 });

    expect([livesMs('absent'), livesMs('present')]).toEqual([20, 30]);
  });

  it('gives way to what is said of this very null', async () => {
    open({ negativeTtl: 20 });
    await cache.getOrSet('loaded', ({ ttl }) => (ttl(40), null));
    await cache.set('set', null, { ttl: 40 });
    await cache.set('default', null);

    expect(cache.has('loaded') && cache.has('set') && cache.has('default')).toBe(true);
    clock.block(20);
    expect([cache.has('loaded'), cache.has('set'), cache.has('default')]).toEqual([
      true,
      true,
      false,
    ]);
    clock.block(20);
    expect([cache.has('loaded'), cache.has('set')]).toEqual([false, false]);
  });

  it('can be switched off for a call', async () => {
    open({ negativeTtl: 20 });
    await cache.getOrSet('key', () => null, { ttl: 50, negativeTtl: false });

    expect(livesMs('key')).toBe(50);
  });
});

describe(`${CacheHierarchy.name}: what a loader says`, () => {
  it('skip() has the value returned and not stored', async () => {
    open();

    expect(await cache.getOrSet('key', ({ skip }) => (skip(), 'once'))).toBe('once');
    expect(cache.has('key')).toBe(false);
    expect(cache.getMetrics()).toMatchObject({ unstored: 1, loads: 1 });
  });

  it('skip() leaves what a refresh was to replace', async () => {
    open();
    await cache.set('key', 'before');
    await cache.getOrSet('key', ({ skip }) => (skip(), 'once'), { forceRefresh: true });

    expect(cache.peek('key')).toBe('before');
  });

  it('notModified() without a stale value is an error', async () => {
    open();

    await expect(cache.getOrSet('key', ({ notModified }) => notModified())).rejects.toThrow(
      InvalidArgumentError,
    );
    expect(cache.has('key')).toBe(false);
  });
});

describe(`${CacheHierarchy.name}: forceRefresh`, () => {
  it('loads although there is a value, and stores what it loaded', async () => {
    open();
    await cache.set('key', 'before');
    const value = await cache.getOrSet('key', ({ stale }) => `${String(stale)}, after`, {
      forceRefresh: true,
    });

    expect([value, cache.peek('key')]).toEqual(['before, after', 'before, after']);
    expect(cache.getMetrics()).toMatchObject({ loads: 1, misses: 1, hits: 0 });
  });

  it('does not join a load that was not forced; others join a forced one', async () => {
    open();
    const releases: ((value: string) => void)[] = [];
    const loader = (): Promise<string> => new Promise((resolve) => releases.push(resolve));
    const first = cache.getOrSet('key', loader);
    const forced = cache.getOrSet('key', loader, { forceRefresh: true });
    const forcedToo = cache.getOrSet('key', loader, { forceRefresh: true });
    const later = cache.getOrSet('key', loader);
    expect(releases).toHaveLength(2);

    releases[1]!('new');
    expect(await Promise.all([forced, forcedToo, later])).toEqual(['new', 'new', 'new']);
    releases[0]!('old');

    expect(await first).toBe('old');
    expect(cache.peek('key')).toBe('new');
  });

  it('is answered by a load, not by what is there, when the patience with another ends', async () => {
    open({ joinTimeout: 50 });
    await cache.set('key', 'old');
    let release!: (value: string) => void;
    const first = cache.getOrSet(
      'key',
      () => new Promise<string>((resolve) => (release = resolve)),
      {
        forceRefresh: true,
      },
    );
    const follower = cache.getOrSet('key', () => 'its own', { forceRefresh: true });
    await clock.advance(50);

    expect(await follower).toBe('its own');
    release('late');
    expect([await first, cache.peek('key')]).toEqual(['late', 'its own']);
  });

  it('fails where its loader does, whatever fresh value there is', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'there');
    const forced = cache.getOrSet('key', () => Promise.reject(new Error('away')), {
      forceRefresh: true,
    });

    await expect(forced).rejects.toThrow('away');
    expect([cache.peek('key'), cache.getMetrics().staleServed]).toEqual(['there', 0]);
  });

  it('is true or false, nothing else', async () => {
    open();
    await cache.set('key', 'there');
    const forceRefresh = 'yes' as unknown as boolean;

    await expect(cache.getOrSet('key', () => 'new', { forceRefresh })).rejects.toThrow(
      'forceRefresh must be true or false, got "yes"',
    );
    expect(await cache.getOrSet('key', () => 'new', { forceRefresh: false })).toBe('there');
  });

  it('cannot be used to ask for a key from its own loader at once', async () => {
    open();
    const value = cache.getOrSet('key', () =>
      cache.getOrSet('key', () => 1, { forceRefresh: true }),
    );

    await expect(value).rejects.toThrow('asked the cache for this same key');
  });
});
