import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HotKeys } from '../../lib/dashboard/hot-keys.js';
import { TopKeys } from '../../lib/dashboard/top-keys.js';
import { CACHE_CHANNELS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe(TopKeys.name, () => {
  it('counts few keys exactly', () => {
    const keys = new TopKeys(3);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) keys.add(key);

    expect(keys.top(2)).toEqual([
      { key: 'a', count: 3 },
      { key: 'b', count: 2 },
    ]);
    expect(keys.total).toBe(6);
  });

  it('finds those that come often among any number of others, and counts none too high', () => {
    const keys = new TopKeys(20);
    for (let at = 0; at < 10_000; at++) {
      keys.add(`once${at}`);
      if (at % 4 === 0) keys.add('hot');
      if (at % 8 === 0) keys.add('warm');
    }

    const top = keys.top(20);

    expect(top.slice(0, 2).map(({ key }) => key)).toEqual(['hot', 'warm']);
    expect(top[0]!.count).toBeGreaterThan(2_500 - 13_750 / 20);
    expect(top[0]!.count).toBeLessThanOrEqual(2_500);
    for (const { count } of top.slice(2)) expect(count).toBe(1);
  });

  it('forgets what came long ago', () => {
    const keys = new TopKeys(10);
    for (const key of ['old', 'old', 'old', 'old', 'rare']) keys.add(key);
    keys.age();
    keys.age();
    for (const key of ['new', 'new']) keys.add(key);

    expect(keys.top(10)).toEqual([
      { key: 'new', count: 2 },
      { key: 'old', count: 1 },
    ]);
    expect(keys.total).toBe(3.25);
  });
});

describe(HotKeys.name, () => {
  let clock: VirtualClock;
  let cache: CacheHierarchy;
  let hotKeys: HotKeys;

  beforeEach(async () => {
    clock = new VirtualClock();
    cache = new CacheHierarchy({ clock });
    hotKeys = new HotKeys({
      clock,
      revealKeys: true,
      nameOf: ({ hierarchy }) => (hierarchy === cache ? 'default' : undefined),
    });
    await cache.set('a', 1);
    await cache.namespace('users').set('a', 1);
  });

  afterEach(async () => {
    hotKeys.stop();
    await cache.close();
  });

  function isHeard(): boolean {
    return channel(CACHE_CHANNELS.hit).hasSubscribers;
  }

  it('hears 2,000 hits of a moment at most', async () => {
    hotKeys.sample();
    for (let time = 0; time < 1_999; time++) await cache.get('a');
    expect(isHeard()).toBe(true);
    await cache.namespace('users').get('a');
    expect(isHeard()).toBe(false);
    await cache.get('a');

    expect(hotKeys.of('default')).toEqual([
      { label: 'a', share: 1_999 / 2_000, hits: 1_999 },
      { label: 'users > a', share: 1 / 2_000, hits: 1 },
    ]);
  });

  it('has hits count half after a minute', async () => {
    hotKeys.sample();
    for (let time = 0; time < 8; time++) await cache.get('a');
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      hotKeys.sample();
    }

    expect(hotKeys.of('default')).toMatchObject([{ label: 'a', hits: 4 }]);
  });

  it('does not hear of other caches of the process', async () => {
    await using other = new CacheHierarchy({ clock });
    await other.set('b', 1);
    hotKeys.sample();
    await other.get('b');
    await cache.get('a');

    expect(hotKeys.of('default').map(({ label }) => label)).toEqual(['a']);
  });

  it('listens no more once it is stopped, and forgets', async () => {
    hotKeys.sample();
    await cache.get('a');
    hotKeys.stop();

    expect([isHeard(), clock.pending, hotKeys.of('default')]).toEqual([
      false,
      expect.any(Number),
      [],
    ]);
  });
});
