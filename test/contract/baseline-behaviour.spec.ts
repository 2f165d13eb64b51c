import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AsyncTTLCache } from '../../bench/src/baseline/async-ttl-cache.js';
import { AsyncMutexLock, PromiseChainLock, type Lock } from '../../bench/src/baseline/lock.js';
import { defer } from '../support/deferred.js';
import { settleMicrotasks } from '../support/virtual-clock.js';
import {
  describeOriginalBehaviour,
  type OriginalCache,
  type OriginalOptions,
  type OriginalSubject,
} from './original-behaviour.js';

const LOCKS: readonly (readonly [string, () => Lock])[] = [
  ['async-mutex', () => new AsyncMutexLock()],
  ['a promise chain', () => new PromiseChainLock()],
];

function adapt(cache: AsyncTTLCache<unknown>): OriginalCache {
  return {
    set: (key, value, ttlMs) => cache.set(key, value, ttlMs),
    get: (key) => cache.get(key),
    delete: (key) => cache.delete(key),
    clear: () => cache.clear(),
    removeExpired: () => cache.removeExpired(),
    stop: () => cache.stop(),
    size: async () => cache.size,
    getMetrics: async () => cache.getMetrics(),
  };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

for (const [name, lock] of LOCKS) {
  const create = (options: OriginalOptions): OriginalSubject => ({
    cache: adapt(new AsyncTTLCache<unknown>({ ...options, lock })),
    advance: (ms) => jest.advanceTimersByTimeAsync(ms),
  });
  describeOriginalBehaviour(`${AsyncTTLCache.name} with ${name}`, create);
}

describe.each(LOCKS)('the lock of %s', (_, open) => {
  it('lets tasks run one at a time, in the order of their calls', async () => {
    const lock = open();
    const first = defer();
    const ran: string[] = [];
    const tasks = [
      lock.run(async () => {
        ran.push('first begins');
        await first.promise;
        ran.push('first ends');
      }),
      lock.run(() => void ran.push('second')),
      lock.run(() => void ran.push('third')),
    ];
    await settleMicrotasks();
    const before = [...ran];
    first.resolve();
    await Promise.all(tasks);

    expect(before).toEqual(['first begins']);
    expect(ran).toEqual(['first begins', 'first ends', 'second', 'third']);
  });

  it('is free again after a task that threw, and says so', async () => {
    const lock = open();
    const failed = lock.run(() => Promise.reject(new Error('no')));
    const held = lock.isHeld;
    const after = lock.run(() => 'after');

    await expect(failed).rejects.toThrow('no');
    await expect(after).resolves.toBe('after');
    await settleMicrotasks();
    expect([held, lock.isHeld]).toEqual([true, false]);
  });

  it('does not let a newcomer in beside the next in line', async () => {
    const lock = open();
    let inside = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await settleMicrotasks();
      inside -= 1;
    };
    const first = lock.run(task);
    const second = lock.run(task);
    const third = first.then(() => lock.run(task));
    await Promise.all([first, second, third]);

    expect(most).toBe(1);
  });
});

describe(`${AsyncTTLCache.name}: read-through`, () => {
  it('loads once under the lock, and once for each caller outside it', async () => {
    const cache = new AsyncTTLCache<number>({ ttl: 1_000 });
    let loads = 0;
    const load = async (): Promise<number> => ++loads;
    await Promise.all([cache.getOrSetLocked('a', load), cache.getOrSetLocked('a', load)]);
    const locked = loads;
    await Promise.all([cache.getOrSet('b', load), cache.getOrSet('b', load)]);

    expect([locked, loads - locked]).toEqual([1, 2]);
    expect(cache.getMetrics().lockContentions).toBeGreaterThan(0);
  });
});
