import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { Ack, DeleteMode } from '../../lib/levels/cache-level.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
});

afterEach(() => closeWithNothingLeft(cache, clock));

const load = (): Promise<unknown> => cache.getOrSet('key', () => 'loaded', { tags: 'tag' });

describe.each<[string, (hold: number) => Promise<unknown>]>([
  ['delete', (hold) => cache.delete('key', { hold })],
  ['deleteMany', (hold) => cache.deleteMany(['other', 'key'], { hold })],
  ['expire', (hold) => cache.expire('key', { hold })],
  ['invalidateTags', (hold) => cache.invalidateTags(['other', 'tag'], { hold })],
])(`${CacheHierarchy.name}: %s with hold`, (_, invalidate) => {
  it('has what is loaded meanwhile returned and not stored', async () => {
    await invalidate(1_000);
    await clock.advance(999);

    expect(await load()).toBe('loaded');
    expect(cache.has('key')).toBe(false);
    expect(cache.getMetrics()).toMatchObject({ fenced: 1 });
  });

  it('is over after that', async () => {
    await invalidate(1_000);
    await clock.advance(1_000);

    await load();
    expect(cache.has('key')).toBe(true);
  });

  it('has nothing stored that began meanwhile and ends afterwards', async () => {
    await invalidate(1_000);
    const row = defer<string>();
    const loading = cache.getOrSet('key', () => row.promise, { tags: 'tag' });
    await clock.advance(2_000);
    row.resolve('early');

    expect(await loading).toBe('early');
    expect(cache.has('key')).toBe(false);
  });

  it('is not shortened by another one', async () => {
    await invalidate(1_000);
    await invalidate(10);
    await clock.advance(999);

    await load();
    expect(cache.has('key')).toBe(false);
  });

  it('stores what is set or updated meanwhile', async () => {
    await invalidate(1_000);

    await cache.set('key', 'set', { tags: 'tag' });
    expect(cache.peek('key')).toBe('set');
    await cache.update('key', () => 'updated', { tags: 'tag' });
    expect(cache.peek('key')).toBe('updated');
  });

  it('has loads shared all the while', async () => {
    await invalidate(1_000);
    const row = defer<string>();
    const callers = [1, 2, 3].map(() => cache.getOrSet('key', () => row.promise, { tags: 'tag' }));
    row.resolve('loaded');

    expect(await Promise.all(callers)).toEqual(Array(3).fill('loaded'));
    expect(cache.getMetrics()).toMatchObject({ loads: 1, joins: 2 });
  });

  it('has a load that began meanwhile joined by nobody who asks afterwards', async () => {
    await invalidate(1_000);
    const row = defer<string>();
    const early = cache.getOrSet('key', () => row.promise, { tags: 'tag' });
    await clock.advance(1_000);
    const late = cache.getOrSet('key', () => 'late', { tags: 'tag' });
    row.resolve('early');

    expect(await Promise.all([early, late])).toEqual(['early', 'late']);
    expect(cache.peek('key')).toBe('late');
  });

  it('leaves other keys and tags alone', async () => {
    await invalidate(1_000);

    await cache.getOrSet('elsewhere', () => 1, { tags: 'another' });
    expect(cache.has('elsewhere')).toBe(true);
  });
});

describe(`${CacheHierarchy.name}: hold with a remote`, () => {
  let remote: ScriptedLevel;

  beforeEach(async () => {
    await cache.close();
    remote = new ScriptedLevel(clock);
    cache = new CacheHierarchy({ clock, remote });
  });

  it('returns what the remote has, and does not copy it', async () => {
    await cache.delete('key', { hold: 1_000 });
    remote.put('key', entryOf('there', clock, { ttl: 10_000 }));

    expect(await cache.get('key')).toBe('there');
    expect(cache.has('key')).toBe(false);
    await clock.advance(1_000);
    await cache.get('key');
    expect(cache.peek('key')).toBe('there');
  });

  it('does not send what is loaded meanwhile', async () => {
    await cache.invalidateTags('tag', { hold: 1_000 });

    await load();
    expect(remote.calls).toEqual(['invalidateTags tag', 'read key']);
  });

  it('is passed on to the remote', async () => {
    const modes: unknown[] = [];
    const note = async (_: readonly string[], mode?: DeleteMode): Promise<Ack> => {
      modes.push(mode);
      return 'applied';
    };
    Object.assign(remote, { delete: note, invalidateTags: note });

    await cache.delete('key', { hold: '1s' });
    await cache.expire('key', { hold: '2s' });
    await cache.invalidateTags('tag', { hold: '3s' });
    await cache.delete('key');

    expect(modes).toEqual([
      { hold: 1_000 },
      { hold: 2_000, expire: true },
      { hold: 3_000 },
      { hold: undefined },
    ]);
  });
});

describe(`${CacheHierarchy.name}: more holds than maxStamps`, () => {
  it('stores no load until the oldest has passed', async () => {
    await cache.close();
    cache = new CacheHierarchy({ clock, maxStamps: 2 });
    await cache.deleteMany(['a', 'b', 'c'], { hold: 1_000 });

    await load();
    expect(cache.has('key')).toBe(false);
    await clock.advance(1_000);
    await load();
    expect(cache.has('key')).toBe(true);
  });
});
