import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { WarmProgress } from '../../lib/hierarchy/warm-up.js';
import { defer, type Deferred } from '../support/deferred.js';
import { settle } from '../support/virtual-clock.js';

let cache: CacheHierarchy;

beforeEach(() => {
  cache = new CacheHierarchy();
});

afterEach(async () => {
  await cache.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, id) => `key-${id}`);

function valuesOf(keys: readonly string[]): Map<string, string> {
  return new Map(keys.map((key) => [key, `value of ${key}`]));
}

describe(`${CacheHierarchy.name}: warm`, () => {
  it('loads all keys in batches, and tells how far it is', async () => {
    const sizes: number[] = [];
    const progress: WarmProgress[] = [];
    const done = await cache.warm(
      names(250),
      (missing) => {
        sizes.push(missing.length);
        return valuesOf(missing);
      },
      { concurrency: 1, onProgress: (each) => progress.push(each), ttl: '1h' },
    );

    expect(sizes).toEqual([100, 100, 50]);
    expect(progress.map((each) => each.done)).toEqual([100, 200, 250]);
    expect(done).toEqual({ done: 250, found: 250, failed: 0 });
    expect(names(250).filter((key) => !cache.has(key))).toEqual([]);
  });

  it('leaves what is there, and counts what the loader does not find', async () => {
    await cache.set('key-0', 'there');
    const asked: string[] = [];
    const done = await cache.warm(names(3), (missing) => {
      asked.push(...missing);
      return valuesOf(missing.slice(1));
    });

    expect(asked).toEqual(['key-1', 'key-2']);
    expect(done).toEqual({ done: 3, found: 2, failed: 0 });
  });

  it('runs as many batches side by side as it may, and no more', async () => {
    const held: Deferred<void>[] = [];
    const warming = cache.warm(
      names(10),
      async (missing) => {
        const go = defer();
        held.push(go);
        await go.promise;
        return valuesOf(missing);
      },
      { batchSize: 2, concurrency: 3 },
    );
    await settle();
    const running = [held.length];
    for (let batch = 0; batch < 5; batch++) {
      held[batch]!.resolve();
      await settle();
      running.push(held.length);
    }

    expect(running).toEqual([3, 4, 5, 5, 5, 5]);
    expect(await warming).toMatchObject({ done: 10, found: 10 });
  });

  it('counts a batch that fails, keeps its error, and goes on', async () => {
    const errors = [new Error('first'), new Error('second')];
    let calls = 0;
    const done = await cache.warm(
      names(5),
      (missing) => {
        calls += 1;
        if (calls < 3) throw errors[calls - 1]!;
        return valuesOf(missing);
      },
      { batchSize: 2, concurrency: 1 },
    );

    expect(done).toEqual({ done: 5, found: 1, failed: 4, firstError: errors[0] });
  });

  it('takes keys as they come', async () => {
    async function* stream(): AsyncGenerator<string> {
      for (const name of names(5)) {
        await settle();
        yield name;
      }
    }

    expect(await cache.warm(stream(), valuesOf)).toMatchObject({ done: 5, found: 5 });
  });

  it('lets go of where the keys come from when that fails', async () => {
    let closed = false;
    async function* stream(): AsyncGenerator<string> {
      try {
        yield* names(150);
        throw new Error('the list ends here');
      } finally {
        closed = true;
      }
    }

    await expect(cache.warm(stream(), valuesOf)).rejects.toThrow('the list ends here');
    expect(closed).toBe(true);
  });

  it('stops when its signal is aborted', async () => {
    const stop = new AbortController();
    const calls: number[] = [];
    const warming = cache.warm(
      names(500),
      (missing) => {
        calls.push(missing.length);
        stop.abort(new Error('enough'));
        return valuesOf(missing);
      },
      { concurrency: 1, signal: stop.signal },
    );

    await expect(warming).rejects.toThrow('enough');
    expect(calls).toEqual([100]);
  });

  it('stops when its signal is aborted, also where the keys do not come', async () => {
    const stop = new AbortController();
    async function* stream(): AsyncGenerator<string> {
      yield 'key-0';
      await new Promise(() => {});
    }
    const warming = cache.warm(stream(), valuesOf, { signal: stop.signal });
    await settle();
    stop.abort(new Error('enough'));

    await expect(warming).rejects.toThrow('enough');
  });

  it('does not begin when its signal is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('enough'));

    await expect(cache.warm([], valuesOf, { signal })).rejects.toThrow('enough');
  });

  it('tells nothing more once it has failed', async () => {
    let told = 0;
    const warming = cache.warm(names(40), valuesOf, {
      batchSize: 10,
      onProgress: () => {
        told += 1;
        throw new Error('no display');
      },
    });

    await expect(warming).rejects.toThrow('no display');
    await settle();
    expect(told).toBe(1);
  });

  it('ends with what was done when the cache is closed meanwhile', async () => {
    let calls = 0;
    const done = await cache.warm(
      names(500),
      async (missing) => {
        calls += 1;
        if (calls === 2) await cache.close();
        return valuesOf(missing);
      },
      { concurrency: 1 },
    );

    expect(calls).toBe(2);
    expect(done.done).toBe(200);
  });

  it('does nothing where nothing is cached', async () => {
    const off = new CacheHierarchy({ enabled: false });
    let calls = 0;
    const loader = (missing: readonly string[]): Map<string, string> => {
      calls += 1;
      return valuesOf(missing);
    };

    expect(await off.warm(names(5), loader)).toEqual({ done: 0, found: 0, failed: 0 });
    expect(calls).toBe(0);
    await off.close();
  });

  it('refuses bad options', async () => {
    await expect(cache.warm([], valuesOf, { batchSize: 0 })).rejects.toThrow(
      "The call's option batchSize must be a whole number from 1 to 10000, got 0.",
    );
    await expect(cache.warm([], valuesOf, { concurrency: 1.5 })).rejects.toThrow('concurrency');
    await expect(cache.warm([], undefined as never)).rejects.toThrow('must be a function');
    await expect(cache.warm('abc', valuesOf)).rejects.toThrow(
      'keys must be several keys, in an array or the like, got the string "abc".',
    );
    await expect(cache.warm(null as never, valuesOf)).rejects.toThrow('got null.');
    await expect(cache.warm(['a'], valuesOf, { speed: 1 } as object)).rejects.toThrow(
      '"speed" is unknown',
    );
  });
});
