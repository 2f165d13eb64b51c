import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const JOIN_MS = 1_000;

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;
/** How often a context was entered, by whomever; from Node 24 on `run` does so through `enterWith`. */
let entered: () => number;

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  cache = new CacheHierarchy({
    clock,
    remote,
    joinTimeout: JOIN_MS,
    maxConcurrentLoads: 2,
    eager: 0.5,
    ttl: '1m',
  });
  const spies = [
    jest.spyOn(AsyncLocalStorage.prototype, 'run'),
    jest.spyOn(AsyncLocalStorage.prototype, 'enterWith'),
  ];
  entered = () => {
    const [runs, enters] = spies.map((spy) => spy.mock.calls.length);
    return runs! > 0 ? runs! : enters!;
  };
});

afterEach(async () => {
  jest.restoreAllMocks();
  await cache.close();
});

describe(`${CacheHierarchy.name}: asynchronous contexts`, () => {
  it('enters no AsyncLocalStorage, whatever it does while no load has to be replaced', async () => {
    remote.put('there', entryOf('value', clock));
    const loaded = defer<string>();
    const joined = [1, 2, 3].map(() => cache.getOrSet('key', () => loaded.promise));
    await clock.turn();
    loaded.resolve('value');
    await Promise.all(joined);
    for (const key of ['key', 'there', 'absent']) await cache.get(key);
    await cache.getOrSetMany(['a', 'b'], (missing) => new Map(missing.map((key) => [key, 1])));
    await cache.getOrSet('outer', () => cache.getOrSet('inner', () => 'value'));
    await clock.advance(59_999);
    await cache.getOrSet('key', () => 'refreshed');
    await cache.update('key', () => 'updated');
    await cache.set('key', 'set', { tags: 'tag' });
    await cache.invalidateTags('tag');
    await cache.getOrSet('fails', () => Promise.reject(new Error('away'))).catch(() => {});

    expect(cache.getMetrics()).toMatchObject({ joins: 2, refreshes: 1, loadFailures: 1 });
    expect(entered()).toBe(0);
  });

  it('enters one for loaders that run after a load had to be replaced, until all is well', async () => {
    const hung = defer<string>();
    const callers = [1, 2].map(() => cache.getOrSet('key', () => hung.promise));
    await clock.advance(JOIN_MS);
    expect(entered()).toBe(1);

    hung.resolve('late');
    await Promise.all(callers);
    await clock.advance(4 * JOIN_MS);
    await cache.getOrSet('last', () => 'of those that are watched');
    const before = entered();
    await cache.getOrSet('other', () => 'value');

    expect([before, entered()]).toEqual([2, 2]);
  });

  it('shows a loader the store of its caller, also where it loads several keys', async () => {
    const request = new AsyncLocalStorage<string>();
    const storeOf = (): string => `${request.getStore()}`;
    const ask = (key: string): Promise<string> =>
      cache.getOrSet(key, async () => {
        const atOnce = storeOf();
        await clock.turn();
        return `${atOnce}, ${storeOf()}`;
      });

    const found = await Promise.all(['a', 'b', 'c'].map((key) => request.run(key, () => ask(key))));
    const many = await request.run('many', () =>
      cache.getOrSetMany(['d', 'e'], (keys) => new Map(keys.map((key) => [key, storeOf()]))),
    );

    expect(found).toEqual(['a, a', 'b, b', 'c, c']);
    expect([...many.values()]).toEqual(['many', 'many']);
  });

  it('leaves the store of the caller as it was', async () => {
    const request = new AsyncLocalStorage<string>();

    const after = await request.run('request', async () => {
      await cache.getOrSet('key', () => request.run('loader', () => 'value'));
      await cache.get('key');
      return request.getStore();
    });

    expect(after).toBe('request');
  });
});
