import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock, ttl: 100, l1: { ttl: 40 } });
});

afterEach(async () => {
  await cache.close();
});

describe(`${CacheHierarchy.name}: inspect`, () => {
  it('tells what each level has, and for how long', async () => {
    await cache.set('key', 'value', { tags: ['a', 'b'], grace: 500 });
    clock.block(10);
    const before = cache.getMetrics();

    const entry = { value: 'value', stale: false, ageMs: 10, tags: ['a', 'b'] };
    expect(await cache.inspect('key')).toEqual([
      { ...entry, level: 'L1', freshForMs: 30, keptForMs: 30 },
      { ...entry, level: 'L2', freshForMs: 90, keptForMs: 590 },
    ]);
    expect(cache.getMetrics()).toEqual(before);
  });

  it('shows a stale value, of which no read knows', async () => {
    await cache.set('key', 'value', { grace: 500 });
    clock.block(150);

    expect(await cache.inspect('key')).toMatchObject([
      { level: 'L2', value: 'value', stale: true, freshForMs: 0, keptForMs: 450 },
    ]);
    expect(cache.has('key')).toBe(false);
  });

  it('knows no age of a plain entry, and nothing of what was invalidated', async () => {
    await cache.set('plain', 'value');
    await cache.set('tagged', 'value', { tags: 'tag' });
    await cache.invalidateTags('tag');

    expect((await cache.inspect('plain')).map(({ ageMs }) => ageMs)).toEqual([
      undefined,
      undefined,
    ]);
    expect(await cache.inspect('tagged')).toEqual([]);
  });

  it('looks into its own namespace only', async () => {
    await cache.namespace('places').set('1', 'value');

    expect(await cache.inspect('1')).toEqual([]);
    expect(await cache.namespace('places').inspect('1')).toHaveLength(2);
    await expect(cache.inspect('')).rejects.toThrow(InvalidArgumentError);
  });
});
