import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
});

afterEach(async () => {
  expect(cache.getMetrics()).toMatchObject({ inFlight: 0, locks: { heldKeys: 0 } });
  await cache.close();
  expect(clock.pending).toBe(0);
});

describe(`${CacheHierarchy.name}: loads`, () => {
  it('calls the loader once for 1,000 concurrent callers of a cold key', async () => {
    const loaded = defer<object>();
    let calls = 0;
    const callers = Array.from({ length: 1_000 }, () =>
      cache.getOrSet('key', () => {
        calls += 1;
        return loaded.promise;
      }),
    );

    const value = { name: 'the value' };
    loaded.resolve(value);

    const answers = await Promise.all(callers);
    expect(answers.every((answer) => answer === value)).toBe(true);
    expect(calls).toBe(1);
    expect(cache.getMetrics()).toMatchObject({ loads: 1, joins: 999, misses: 1_000 });
  });

  it('gives all 1,000 the same error object and loads again on the next call', async () => {
    const loaded = defer<string>();
    const error = new Error('the database is away');
    const callers = Array.from({ length: 1_000 }, () =>
      cache.getOrSet('key', () => loaded.promise),
    );

    loaded.reject(error);

    const results = await Promise.allSettled(callers);
    expect(results.every((result) => result.status === 'rejected' && result.reason === error)).toBe(
      true,
    );
    expect(cache.has('key')).toBe(false);
    expect(await cache.getOrSet('key', () => 'back')).toBe('back');
    expect(cache.getMetrics()).toMatchObject({ loads: 2, loadFailures: 1 });
  });

  it('hands on what a loader throws even if it is no error', async () => {
    await expect(
      cache.getOrSet('key', () => {
        throw 'a string'; // oxlint-disable-line no-throw-literal -- users' loaders do
      }),
    ).rejects.toBe('a string');
  });

  it('caches null, and returns undefined without caching it', async () => {
    expect(await cache.getOrSet('null', () => null)).toBeNull();
    expect(await cache.getOrSet('undefined', () => undefined)).toBeUndefined();

    expect(await cache.getOrSet('null', () => 'again')).toBeNull();
    expect(await cache.getOrSet('undefined', () => 'again')).toBe('again');
  });

  it('tells the loader its key and adds its tags to those of the call', async () => {
    let key: string | undefined;

    await cache.namespace('places').getOrSet(
      'paris',
      (context) => {
        ({ key } = context);
        context.tags(['b', 'c']);
        return 1;
      },
      { tags: ['a', 'b'] },
    );

    expect(key).toBe('paris');
    for (const tag of ['a', 'b', 'c']) {
      const other = new CacheHierarchy({ clock });
      await other.getOrSet('key', ({ tags }) => (tags(['b', 'c']), 1), { tags: ['a', 'b'] });
      await other.invalidateTags(tag);
      expect(other.has('key')).toBe(false);
      await other.close();
    }
  });

  it('ends a loader that awaits its own key', async () => {
    const load = async (): Promise<string> => {
      await Promise.resolve();
      return cache.getOrSet('key', load);
    };

    const answer = cache.getOrSet('key', load);
    const outcome = expect(answer).rejects.toBeInstanceOf(LoadTimeoutError);
    await clock.advance(4 * 30_000);

    await outcome;
  });

  it('refuses at once a loader that asks for its own key before it first waits', async () => {
    const answer = cache.getOrSet('key', () => cache.getOrSet('key', () => 1));

    await expect(answer).rejects.toMatchObject({ code: 'CACHE_INVALID_ARGUMENT' });
  });

  it('ends two loaders that wait for each other', async () => {
    const loadA = async (): Promise<number> => {
      await Promise.resolve();
      return cache.getOrSet('b', loadB);
    };
    const loadB = async (): Promise<number> => {
      await Promise.resolve();
      return cache.getOrSet('a', loadA);
    };

    const outcome = expect(cache.getOrSet('a', loadA)).rejects.toBeInstanceOf(LoadTimeoutError);
    await clock.advance(8 * 30_000);

    await outcome;
  });

  it('lets one caller leave by its signal and the others wait on', async () => {
    const loaded = defer<string>();
    const leaver = new AbortController();
    const first = cache.getOrSet('key', () => loaded.promise, { signal: leaver.signal });
    const second = cache.getOrSet('key', () => loaded.promise);

    leaver.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    loaded.resolve('value');

    expect(await second).toBe('value');
    expect(cache.peek('key')).toBe('value');
  });

  it('aborts the load and lets nobody join it once every caller has left', async () => {
    const loaded = defer<string>();
    let signal: AbortSignal | undefined;
    const leaving = cache.getOrSet(
      'key',
      (context) => {
        ({ signal } = context);
        return loaded.promise;
      },
      { waitTimeout: '1s' },
    );
    const outcome = expect(leaving).rejects.toBeInstanceOf(LoadTimeoutError);

    await clock.advance(1_000);
    await outcome;
    const next = cache.getOrSet('key', () => 'newer');

    expect(signal?.aborted).toBe(true);
    expect(await next).toBe('newer');
    loaded.resolve('older');
    await clock.turn();
    expect(cache.peek('key')).toBe('newer');
  });

  it('takes the wait of the options where the call has none', async () => {
    const impatient = new CacheHierarchy({ clock, waitTimeout: '2s' });
    const loaded = defer<string>();
    const outcome = expect(impatient.getOrSet('key', () => loaded.promise)).rejects.toMatchObject({
      code: 'CACHE_LOAD_TIMEOUT',
    });

    await clock.advance(2_000);

    await outcome;
    loaded.resolve('late');
    await clock.turn();
    await impatient.close();
  });

  it('replaces a hung load after joinTimeout, and answers who waits for either', async () => {
    const hung = defer<string>();
    const first = cache.getOrSet('key', () => hung.promise);
    const second = cache.getOrSet('key', () => 'from the second');

    await clock.advance(30_000);
    expect(await second).toBe('from the second');
    hung.resolve('from the first');

    expect(await first).toBe('from the first');
    expect(cache.peek('key')).toBe('from the second');
  });
});
