import { expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';

it('counts a value that is too large for every level as not stored', async () => {
  const cache = new CacheHierarchy({ l1: { maxBytes: '1kb' }, l2: false });
  const large = 'x'.repeat(5_000);

  await cache.set('set', large);
  const loaded = await cache.getOrSet('loaded', () => large);

  expect([loaded, cache.has('set'), cache.has('loaded')]).toEqual([large, false, false]);
  expect(cache.getMetrics()).toMatchObject({ sets: 0, unstored: 2 });
  await cache.close();
});
