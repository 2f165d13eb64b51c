import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidOptionsError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let cache: CacheHierarchy;

beforeEach(() => {
  cache = new CacheHierarchy({ clock: new VirtualClock() });
});

afterEach(() => cache.close());

const badKeys: [string, unknown, RegExp][] = [
  ['an empty key', '', /must not be empty/],
  ['a lone surrogate', 'a\ud800b', /lone surrogate/],
  ['1,025 characters', 'x'.repeat(1_025), /at most 1024 characters, this one has 1025/],
  ['a line break', 'a\nb', /must not contain control characters/],
  ['a namespace separator', 'a\u001fb', /must not contain control characters/],
  ['a number', 1, /must be a string; got 1/],
  ['nothing', undefined, /must be a string; got undefined/],
];

describe(`${CacheHierarchy.name}: arguments`, () => {
  it.each(badKeys)(
    'refuses %s where something is stored, loaded or removed',
    async (_, bad, text) => {
      const key = bad as string;
      let loads = 0;
      await cache.set('good', 1);

      for (const call of [
        cache.set(key, 1),
        cache.getOrSet(key, () => (loads += 1)),
        cache.update(key, () => (loads += 1)),
        cache.delete(key),
        cache.deleteMany(['good', key]),
        cache.setMany([
          ['good', 2],
          [key, 2],
        ]),
      ]) {
        await expect(call).rejects.toThrow(InvalidArgumentError);
        await expect(call).rejects.toThrow(text);
      }

      expect(loads).toBe(0);
      expect(cache.peek('good')).toBe(1);
    },
  );

  it.each(badKeys.filter(([, bad]) => typeof bad === 'string'))(
    'has no value for %s, and asks no level outside for it',
    async (_, bad) => {
      await cache.close();
      const clock = new VirtualClock();
      const remote = new ScriptedLevel(clock);
      cache = new CacheHierarchy({ clock, remote });
      const key = bad as string;
      const reading = [cache.get(key), cache.namespace('places').get(key)];
      const many = cache.getMany(['good', key]);

      expect(await Promise.all(reading)).toEqual([undefined, undefined]);
      expect(await many).toEqual(new Map());
      expect(remote.calls).toEqual(['read good']);
    },
  );

  it('accepts keys of 1,024 characters and of any script', async () => {
    for (const key of ['x'.repeat(1_024), 'Zürich 東京 🏙', ' ']) {
      await cache.set(key, key);
      expect(await cache.get(key)).toBe(key);
    }
  });

  it.each([0, -1, Number.NaN, '0s', '-5m', '5', 'soon', null])(
    'refuses the ttl %p, and keeps what was stored',
    async (bad) => {
      const ttl = bad as number;
      await cache.set('key', 'old');

      await expect(cache.set('key', 'new', { ttl })).rejects.toThrow(/A duration must be/);
      await expect(cache.update('key', () => 'new', { ttl })).rejects.toThrow(/A duration must be/);
      await expect(cache.getOrSet('cold', () => 1, { ttl })).rejects.toThrow(/A duration must be/);

      expect(cache.peek('key')).toBe('old');
    },
  );

  it.each(['', 'a\u0000b', 'x'.repeat(257), 7])('refuses the tag %p', async (bad) => {
    const tags = [bad as string];

    await expect(cache.set('key', 1, { tags })).rejects.toThrow(/A tag must/);
    await expect(cache.invalidateTags(tags)).rejects.toThrow(/A tag must/);
  });

  it('refuses more than 32 tags for one entry, wherever they come from', async () => {
    const tags = Array.from({ length: 32 }, (_, index) => `tag ${index}`);

    await cache.set('key', 1, { tags });
    await expect(cache.set('key', 1, { tags: [...tags, 'one more'] })).rejects.toThrow(
      'at most 32 tags, got 33',
    );
    await expect(
      cache.getOrSet('other', (context) => context.tags('one more'), { tags }),
    ).rejects.toThrow('at most 32 tags, got 33');
  });

  it('refuses an option that a call does not have', async () => {
    const options = { ttl: '1s', softTimeout: '1s', hold: '1m' } as { ttl: '1s' };

    await expect(cache.set('key', 1, { ...options, hold: undefined } as object)).rejects.toThrow(
      'The call\'s option "softTimeout" is unknown; known are eager, expiresAt, grace, jitter, ' +
        'negativeTtl, tags, ttl.',
    );
    await expect(cache.getOrSet('key', () => 1, options)).rejects.toThrow(/"hold" is unknown/);
  });

  it('refuses options that are no object', async () => {
    const none = null as unknown as undefined;

    await expect(cache.getOrSet('key', () => 1, none)).rejects.toThrow(InvalidArgumentError);
    await expect(cache.set('key', 1, none)).rejects.toThrow(InvalidArgumentError);
  });

  it('refuses options of invalidations that they do not have, and does nothing', async () => {
    await cache.set('key', 1, { tags: 'tag' });
    const bad = { require: 'L2', hold: '5s' } as object;

    await expect(cache.delete('key', bad)).rejects.toThrow('require must be \'remote\', got "L2".');
    await expect(cache.deleteMany(['key'], bad)).rejects.toThrow(/require must be/);
    await expect(cache.expire('key', bad)).rejects.toThrow(
      'The call\'s option "require" is unknown; known are hold.',
    );
    await expect(cache.invalidateTags('tag', bad)).rejects.toThrow(/"require" is unknown/);
    await expect(cache.delete('key', { hold: 0 })).rejects.toThrow(/duration/);
    const clear = cache.clear.bind(cache) as (options: object) => Promise<void>;
    await expect(clear(bad)).rejects.toThrow(/known are none/);
    expect(cache.peek('key')).toBe(1);
  });

  it.each([null, 'signal', { aborted: false }])('refuses %p as a signal', async (bad) => {
    const load = cache.getOrSet('key', () => 1, { signal: bad as unknown as AbortSignal });

    await expect(load).rejects.toThrow('signal must be an AbortSignal');
  });

  it('refuses undefined as a value, a loader that is none, and one string as keys', async () => {
    await expect(cache.set('key', undefined)).rejects.toThrow(/must not be undefined/);
    await expect(cache.getOrSet('key', 'value' as never)).rejects.toThrow(
      'A loader must be a function, got "value".',
    );
    await expect(cache.getMany('key')).rejects.toThrow(/keys must be several keys/);
    await expect(cache.deleteMany('key')).rejects.toThrow(/keys must be several keys/);
  });

  it.each([undefined, null, 5, {}, stream()])('refuses %p as several keys', async (bad) => {
    const keys = bad as Iterable<string>;
    const message = /keys must be several keys, in an array or the like, got (?!the string)/;

    await expect(cache.getMany(keys)).rejects.toThrow(message);
    await expect(cache.deleteMany(keys)).rejects.toThrow(message);
    await expect(cache.getOrSetMany(keys, () => new Map())).rejects.toThrow(message);
  });

  it.each([undefined, null, 5, {}, ['ab'], [['key', 1], 'ab']])(
    'refuses %p as entries, and stores none',
    async (bad) => {
      const entries = bad as [string, unknown][];

      await expect(cache.setMany(entries)).rejects.toThrow(
        'entries must be pairs of a key and a value, in an array or a Map, got ',
      );
      expect(cache.has('key')).toBe(false);
    },
  );

  it('lets no key of one namespace reach another', async () => {
    const users = cache.namespace('users');
    await users.set('1', 'user');
    await cache.namespace('users.1').set('1', 'other');
    await cache.set('users', 'root');

    expect(cache.peek('users\u001f1')).toBeUndefined();
    expect(await cache.get('users\u001f1')).toBeUndefined();
    expect(await cache.getMany(['users\u001f1', 'users'])).toEqual(new Map([['users', 'root']]));
    expect(cache.has('1')).toBe(false);
    expect(users.namespace('1').has('1')).toBe(false);
    expect(await users.getOrSet('1', () => 'loaded')).toBe('user');
  });

  it.each(['', 'a b', 'x'.repeat(33), 'ä', 5])('refuses %p as the name of a namespace', (name) => {
    expect(() => cache.namespace(name as string)).toThrow(/A namespace's name must be/);
  });

  it('nests namespaces four deep', () => {
    const fourth = cache.namespace('a').namespace('b').namespace('c').namespace('d');

    expect(fourth.path).toEqual(['a', 'b', 'c', 'd']);
    expect(() => fourth.namespace('e')).toThrow('at most 4 deep, got a > b > c > d > e');
  });

  it('names every problem of its options at once', () => {
    const options = {
      l1: { numShards: 0, ttl: -1, size: 3 },
      l2: { maxEntries: 1.5, cleanupInterval: 'often' },
      enabled: 'yes',
      joinTimeout: 0,
      hold: '1m',
      clock: {},
    } as unknown as CacheHierarchyOptions;

    const problems = (): unknown => {
      try {
        return new CacheHierarchy(options);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidOptionsError);
        return (error as InvalidOptionsError).problems.map(({ option }) => option).toSorted();
      }
    };

    expect(problems()).toEqual([
      'clock',
      'enabled',
      'hold',
      'joinTimeout',
      'l1.numShards',
      'l1.size',
      'l1.ttl',
      'l2.cleanupInterval',
      'l2.maxEntries',
    ]);
    expect(() => new CacheHierarchy(options)).toThrow(
      /CacheHierarchy has 9 problems in its options:[^]*l1\.numShards: must be a whole number from 1 to 1024, got 0/,
    );
  });

  it('warns where an explicit number of shards leaves too few entries to each', async () => {
    const reports: string[] = [];
    const report = ({ code, message }: { code: string; message: string }): void => {
      reports.push(`${code} ${message}`);
    };

    const small = new CacheHierarchy({ l1: { maxEntries: 256, numShards: 4 }, report });

    expect(reports).toEqual([
      expect.stringMatching(/^CACHE_SMALL_SHARDS CacheHierarchy L1: 4 shards .* at most 2 /),
    ]);
    await small.close();
  });
});

async function* stream(): AsyncGenerator<string> {
  yield 'key';
}
