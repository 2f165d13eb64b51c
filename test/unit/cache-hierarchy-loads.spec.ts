import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
});

afterEach(() => closeWithNothingLeft(cache, clock));

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

describe(`${CacheHierarchy.name}: followers`, () => {
  it('are not answered by a load whose tag was invalidated before they asked', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', async ({ tags }) => {
      const value = await loaded.promise;
      tags('places');
      return value;
    });

    await cache.invalidateTags('places');
    const late = cache.getOrSet('key', () => 'new');
    loaded.resolve('old');

    expect(await early).toBe('old');
    expect(await late).toBe('new');
    expect(cache.peek('key')).toBe('new');
  });

  it('take what was stored meanwhile before they load themselves', async () => {
    const hung = defer<string>();
    let loads = 0;
    const first = cache.getOrSet('key', () => hung.promise);
    const follower = cache.getOrSet('key', () => `load ${++loads}`);
    await cache.set('key', 'written');

    await clock.advance(30_000);

    expect(await follower).toBe('written');
    expect([loads, cache.peek('key')]).toEqual([0, 'written']);
    hung.resolve('late');
    await first;
  });

  it('run their own loader in the asynchronous context of their own call', async () => {
    const request = new AsyncLocalStorage<string>();
    const hung = defer<string>();
    const first = cache.getOrSet('key', () => hung.promise);
    const asked = (name: string): Promise<string | undefined> =>
      request.run(name, () =>
        cache.getOrSet('key', () => hung.promise.then(() => request.getStore())),
      );
    const followers = [asked('a'), asked('b')];

    await clock.advance(60_000);
    hung.resolve('done');

    expect(await Promise.all([first, ...followers])).toEqual(['done', 'a', 'b']);
  });

  it('share one signal with one listener, of however many loads they wait for', async () => {
    const request = new AbortController();
    const loaded = defer<string>();
    const answers = Array.from({ length: 50 }, (_, index) =>
      cache.getOrSet(`key ${index}`, () => loaded.promise, { signal: request.signal }),
    );

    // Node warns of a leak at the eleventh.
    expect(getEventListeners(request.signal, 'abort')).toHaveLength(1);
    loaded.resolve('value');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['value']));
  });

  it('leave nothing of a load behind that everybody has left', async () => {
    const hang = (): Promise<never> => new Promise(() => {});
    const answers = Array.from({ length: 20 }, (_, index) =>
      cache.getOrSet(`key ${index}`, hang, { waitTimeout: '1s' }),
    );
    const outcomes = Promise.allSettled(answers);

    await clock.advance(1_000);

    expect((await outcomes).map(({ status }) => status)).toEqual(answers.map(() => 'rejected'));
    expect(cache.getMetrics().inFlight).toBe(0);
  });
});

describe(`${CacheHierarchy.name}: what a loader says of its value`, () => {
  it.each([0, -1, '0s' as const])('keeps it from being stored with ttl(%p)', async (ttl) => {
    const answer = await cache.getOrSet('key', (context) => {
      context.ttl(ttl);
      return 'value';
    });

    expect(answer).toBe('value');
    expect(cache.has('key')).toBe(false);
    expect(cache.getMetrics()).toMatchObject({ unstored: 1, fenced: 0 });
  });

  it('fails the load where it is no lifetime at all', async () => {
    const load = cache.getOrSet('key', (context) => context.ttl(Number.NaN));

    await expect(load).rejects.toThrow('A duration must be');
  });
});
