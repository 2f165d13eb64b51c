import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer, type Deferred } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;
/** The lists of keys that the loader was called with. */
let calls: (readonly string[])[];

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock, ttl: 100 });
  calls = [];
});

afterEach(() => closeWithNothingLeft(cache, clock));

/** Finds every key but those that begin with `no`. */
function load(missing: readonly string[]): Map<string, string> {
  calls.push(missing);
  return new Map(
    missing.filter((key) => !key.startsWith('no')).map((key) => [key, `value of ${key}`]),
  );
}

/** A loader that waits until it is let go. */
function held(): { loader: typeof load; go: Deferred<void> } {
  const go = defer();
  const loader = async (missing: readonly string[]): Promise<Map<string, string>> => {
    const found = load(missing);
    await go.promise;
    return found;
  };
  return { loader: loader as unknown as typeof load, go };
}

describe(`${CacheHierarchy.name}: getOrSetMany`, () => {
  it('loads what is missing in one call, and returns all in the order of the keys', async () => {
    await cache.set('b', 'there');
    const found = await cache.getOrSetMany(['c', 'b', 'a', 'c'], load);

    expect([...found]).toEqual([
      ['c', 'value of c'],
      ['b', 'there'],
      ['a', 'value of a'],
    ]);
    expect(calls).toEqual([['c', 'a']]);
    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 2, loads: 2 });
    expect([cache.peek('a'), cache.peek('c')]).toEqual(['value of a', 'value of c']);
  });

  it('leaves out, and does not cache, what the loader does not find', async () => {
    const found = await cache.getOrSetMany(['a', 'none'], load);
    await cache.getOrSetMany(['a', 'none'], load);

    expect([...found.keys()]).toEqual(['a']);
    expect(calls).toEqual([['a', 'none'], ['none']]);
  });

  it('calls no loader when everything is there, or nothing is asked for', async () => {
    await cache.set('a', 'there');

    expect((await cache.getOrSetMany(['a'], load)).get('a')).toBe('there');
    expect((await cache.getOrSetMany([], load)).size).toBe(0);
    expect(calls).toEqual([]);
  });

  it('does not load a key that somebody else is loading', async () => {
    const single = defer<string>();
    const alone = cache.getOrSet('a', () => single.promise);
    const many = cache.getOrSetMany(['a', 'b'], load);
    single.resolve('from the other');

    expect([...(await many).values()]).toEqual(['from the other', 'value of b']);
    expect([calls, await alone]).toEqual([[['b']], 'from the other']);
  });

  it('lets others join the loads of single keys, and of some keys', async () => {
    const { loader, go } = held();
    const many = cache.getOrSetMany(['a', 'b'], loader);
    const alone = cache.getOrSet('a', () => 'never called');
    const others = cache.getOrSetMany(['b', 'c'], load);
    go.resolve();

    expect([await alone, (await others).get('b'), (await many).size]).toEqual([
      'value of a',
      'value of b',
      2,
    ]);
    expect(calls).toEqual([['a', 'b'], ['c']]);
  });

  it('fences each key by itself', async () => {
    const { loader, go } = held();
    const many = cache.getOrSetMany(['a', 'b'], loader);
    await cache.delete('a');
    go.resolve();

    expect((await many).size).toBe(2);
    expect([cache.has('a'), cache.has('b')]).toEqual([false, true]);
  });

  it('passes on the very error of the loader, and stores nothing', async () => {
    const error = new Error('the database is away');
    const failing = cache.getOrSetMany(['a', 'b'], () => Promise.reject(error));

    await expect(failing).rejects.toBe(error);
    expect([cache.has('a'), cache.has('b')]).toEqual([false, false]);
  });

  it('returns stale values where it fails, if all missing keys have one', async () => {
    await cache.set('a', 'old', { grace: 1_000 });
    clock.block(100);
    const fail = (): never => {
      throw new Error('the database is away');
    };

    expect((await cache.getOrSetMany(['a'], fail)).get('a')).toBe('old');
    await expect(cache.getOrSetMany(['a', 'b'], fail)).rejects.toThrow('away');
  });

  it('lets the loader speak of all its values', async () => {
    await cache.getOrSetMany(['a', 'b'], (missing, { ttl, tags }) => {
      ttl(10);
      tags('tag');
      return load(missing);
    });
    await cache.getOrSetMany(['c'], (missing, { skip }) => {
      skip();
      return load(missing);
    });

    expect(['a', 'b', 'c'].map((key) => cache.has(key))).toEqual([true, true, false]);
    await cache.invalidateTags('tag');
    expect(cache.has('a')).toBe(false);
  });

  it('aborts the loader when every caller has left every key', async () => {
    const request = new AbortController();
    const other = new AbortController();
    let signal: AbortSignal | undefined;
    const { go } = held();
    const many = cache
      .getOrSetMany(
        ['a', 'b'],
        async (missing, context) => {
          signal = context.signal;
          await go.promise;
          return load(missing);
        },
        { signal: request.signal },
      )
      .catch((error: unknown) => error);
    const alone = cache.getOrSet('a', () => '', { signal: other.signal }).catch(() => 'left');
    request.abort(new Error('gone'));
    await settle();
    expect(signal?.aborted).toBe(false);

    other.abort();
    await settle();
    expect(signal?.aborted).toBe(true);
    expect(await many).toMatchObject({ message: 'gone' });
    expect(await alone).toBe('left');
    go.resolve();
    await settle();
  });

  it('refuses what a loader asks of its own keys at once', async () => {
    const many = cache.getOrSetMany(['a', 'b'], async () => {
      return new Map([['a', await cache.getOrSet('b', () => 1)]]);
    });

    await expect(many).rejects.toThrow('asked the cache for this same key');
  });

  it('loads a single key again for a follower whose patience ends', async () => {
    const hung = defer<Map<string, string>>();
    const many = cache.getOrSetMany(['a'], () => hung.promise);
    const follower = cache.getOrSetMany(['a'], load);
    await clock.advance(30_000);

    expect((await follower).get('a')).toBe('value of a');
    hung.resolve(new Map([['a', 'late']]));
    expect((await many).get('a')).toBe('late');
    expect(cache.peek('a')).toBe('value of a');
  });

  it('refreshes behind hits in one call, too', async () => {
    await cache.getOrSetMany(['a', 'b'], load, { eager: 0.5 });
    clock.block(60);
    await cache.getOrSetMany(['a', 'b', 'c'], load, { eager: 0.5 });

    expect(calls).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  it('works in a namespace, with its own keys', async () => {
    await cache.namespace('places').getOrSetMany(['a'], load);

    expect(calls).toEqual([['a']]);
    expect([cache.has('a'), cache.namespace('places').has('a')]).toEqual([false, true]);
  });

  it('loads everything where nothing is cached', async () => {
    await cache.close();

    expect((await cache.getOrSetMany(['a', 'b'], load)).size).toBe(2);
    expect(calls).toEqual([['a', 'b']]);
  });

  it('counts each key of a loader that throws', async () => {
    const fail = (): never => {
      throw new Error('the database is away');
    };

    await expect(cache.getOrSetMany(['a', 'b'], fail)).rejects.toThrow('the database is away');
    expect(cache.getMetrics()).toMatchObject({ loads: 2, loadFailures: 2 });
  });

  it('refuses bad options also where every key is there', async () => {
    await cache.set('a', 1);

    await expect(cache.getOrSetMany(['a'], load, { ttl: 0 })).rejects.toThrow('A duration must be');
    await expect(cache.getOrSetMany([], load, { ttl: 0 })).rejects.toThrow('A duration must be');
  });

  it('refuses bad keys, options, loaders and answers', async () => {
    const asLoader = (answer: unknown) => () => answer as Map<string, string>;

    await expect(cache.getOrSetMany('ab', load)).rejects.toThrow('keys must be several keys');
    await expect(cache.getOrSetMany(['a', ''], load)).rejects.toThrow(InvalidArgumentError);
    await expect(cache.getOrSetMany(['a'], load, { jitter: 7 })).rejects.toThrow('jitter');
    await expect(cache.getOrSetMany(['a'], undefined as never)).rejects.toThrow(
      'must be a function',
    );
    await expect(cache.getOrSetMany(['a'], asLoader({ a: 1 }))).rejects.toThrow(
      'must return a Map from keys to values',
    );
    expect(calls).toEqual([]);
  });
});
