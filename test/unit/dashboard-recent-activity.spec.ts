import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RecentActivity } from '../../lib/dashboard/recent-activity.js';
import { CACHE_CHANNELS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;
let activity: RecentActivity;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
  activity = new RecentActivity({
    clock,
    revealKeys: true,
    nameOf: ({ hierarchy }) => (hierarchy === cache ? 'default' : undefined),
  });
  activity.start();
});

afterEach(async () => {
  activity.stop();
  await cache.close();
});

function told(): [what: string, count: number][] {
  return activity.look().map(({ what, count }) => [what, count]);
}

describe(RecentActivity.name, () => {
  it('counts what comes again', async () => {
    for (const key of ['a', 'b', 'a', 'a']) await cache.delete(key);
    await cache.expire('a');

    expect(told()).toEqual([
      ['a', 3],
      ['b', 1],
      ['a', 1],
    ]);
    expect(told()).toEqual([]);
  });

  it('tells the first five one by one and counts the rest', async () => {
    await cache.deleteMany(Array.from({ length: 100 }, (_, id) => `key${id}`));

    expect(told()).toEqual([...[0, 1, 2, 3, 4].map((id) => [`key${id}`, 1]), ['…', 95]]);
  });

  it('only counts while that goes on, and tells single ones again after it', async () => {
    const many = Array.from({ length: 100 }, (_, id) => `key${id}`);
    await cache.deleteMany(many);
    activity.look();
    await cache.deleteMany(many);
    await cache.clear();
    expect(told()).toEqual([
      ['…', 100],
      ['', 1],
    ]);
    activity.look();

    await cache.delete('key');

    expect(told()).toEqual([['key', 1]]);
  });

  it('keeps the newest 50', async () => {
    for (let id = 0; id < 60; id++) {
      await cache.delete(`key${id}`);
      await clock.advance(1);
      activity.look();
    }

    expect(activity.recent).toHaveLength(50);
    expect(activity.recent[0]).toMatchObject({ what: 'key10', cache: 'default', kind: 'delete' });
    expect(activity.recent.at(-1)).toMatchObject({ what: 'key59', at: clock.wallNow() - 1 });
  });

  it('cuts what is long', async () => {
    const tags = Array.from({ length: 1_000 }, (_, id) => `${'tag'.repeat(30)}${id}`);
    await cache.invalidateTags(tags);
    await cache.delete('k'.repeat(1_000));

    for (const [what] of told()) expect(what).toHaveLength(200);
  });

  it('does not hear of other caches, nor of anything once it is stopped', async () => {
    await using other = new CacheHierarchy({ clock });
    await other.clear();
    expect(told()).toEqual([]);

    activity.stop();

    expect(channel(CACHE_CHANNELS.invalidated).hasSubscribers).toBe(false);
  });
});
