import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, LoadTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { defer, type Deferred } from '../support/deferred.js';
import { HeldLevel } from '../support/held-level.js';
import { observe } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const JOIN_MS = 30_000;
/** After so long every loader that waits for itself in some way has come to its end. */
const LONG_MS = 40 * JOIN_MS;

let clock: VirtualClock;
let cache: CacheHierarchy;
/** What loaders wait for that hang: let go at the end, since nothing may be left then. */
let hung: Deferred<never>;

const remote = (): HeldLevel =>
  new HeldLevel('remote', clock, (_, apply) => Promise.resolve(apply()));

const CACHES: [string, () => CacheHierarchyOptions][] = [
  ['levels in memory', () => ({})],
  ['a remote level below', () => ({ remote: remote() })],
  ['one loader at a time', () => ({ maxConcurrentLoads: 1 })],
  ['a remote level and one loader at a time', () => ({ remote: remote(), maxConcurrentLoads: 1 })],
];

/** Gives each test a cache, and looks that nothing is left in it afterwards. */
function useCache(options: () => CacheHierarchyOptions): void {
  beforeEach(() => {
    clock = new VirtualClock();
    hung = defer<never>();
    hung.promise.catch(() => {});
    cache = new CacheHierarchy({ clock, joinTimeout: JOIN_MS, ...options() });
  });

  afterEach(async () => {
    hung.reject(new Error('the test is over'));
    await settle();
    expect(cache.getMetrics()).toMatchObject({ inFlight: 0, waitingLoads: 0 });
    await cache.close();
    expect(clock.pending).toBe(0);
  });
}

/** Nothing of what a loader brought, or did not bring, is kept: the next caller loads. */
async function expectNothingStored(...keys: string[]): Promise<void> {
  for (const key of keys) {
    expect(cache.peek(key)).toBeUndefined();
    expect(await cache.get(key)).toBeUndefined();
    expect(await cache.getOrSet(key, () => `next ${key}`)).toBe(`next ${key}`);
    expect(cache.peek(key)).toBe(`next ${key}`);
  }
}

describe.each(CACHES)(`${CacheHierarchy.name} with %s`, (_, options) => {
  useCache(options);

  describe('a loader of one key', () => {
    it('that throws has all callers get that very error, and nothing stored', async () => {
      const error = new Error('the database is away');
      const fail = (): never => {
        throw error;
      };

      const answers = await Promise.allSettled([
        cache.getOrSet('a', fail),
        cache.getOrSet('a', () => Promise.reject(error)),
      ]);

      expect(answers).toEqual([
        { status: 'rejected', reason: error },
        { status: 'rejected', reason: error },
      ]);
      await expectNothingStored('a');
    });

    it.each([['some text'], [undefined], [null], [0], [{ status: 404 }]])(
      'that throws %p, which is no error, has its callers get just that',
      async (thrown) => {
        const load = (): never => {
          throw thrown; // oxlint-disable-line no-throw-literal -- users' loaders do
        };

        const answers = await Promise.allSettled([
          cache.getOrSet('a', load),
          cache.getOrSet('a', load),
        ]);

        expect(answers.map((answer) => 'reason' in answer && answer.reason === thrown)).toEqual([
          true,
          true,
        ]);
        await expectNothingStored('a');
      },
    );

    it('that returns undefined has its callers get that, and nothing stored', async () => {
      expect(await cache.getOrSet('a', () => undefined)).toBeUndefined();
      expect(await cache.getOrSet('a', async () => undefined)).toBeUndefined();

      await expectNothingStored('a');
    });

    it('that hangs is replaced for the others after joinTimeout; who started it waits', async () => {
      const first = observe(cache.getOrSet('a', () => hung.promise));
      const second = observe(cache.getOrSet('a', () => 'from the second'));

      await clock.advance(JOIN_MS - 1);
      expect(second.state).toBe('pending');
      await clock.advance(1);

      expect([first.state, second.value]).toEqual(['pending', 'from the second']);
      expect(await cache.getOrSet('a', () => 'never called')).toBe('from the second');
    });

    it('that always hangs has the others get a LoadTimeoutError in the end', async () => {
      const hang = (): Promise<never> => hung.promise;
      const callers = Array.from({ length: 6 }, () => observe(cache.getOrSet('a', hang)));

      await clock.advance(LONG_MS);

      expect(callers.map(({ state }) => state)).toEqual([
        ...Array.from({ length: 4 }, () => 'pending'),
        'rejected',
        'rejected',
      ]);
      expect(callers[5]!.error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a');
    });

    it.each([
      ['waitTimeout', { waitTimeout: '1s' }],
      ['hardTimeout', { hardTimeout: '1s' }],
    ] as const)('that hangs is given up after %s', async (_name, bound) => {
      const hanging = observe(cache.getOrSet('a', () => hung.promise, bound));

      await clock.advance(1_000);

      expect(hanging.error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a');
    });

    it('that resolves after hardTimeout has its value stored if there is none', async () => {
      const late = defer<string>();
      const caller = observe(cache.getOrSet('a', () => late.promise, { hardTimeout: '1s' }));
      await clock.advance(1_000);

      late.resolve('late');
      await settle();

      expect(caller.error).toBeInstanceOf(LoadTimeoutError);
      expect(cache.peek('a')).toBe('late');
    });

    it('that resolves later than one that was called after it does not replace its value', async () => {
      const late = defer<string>();
      const first = observe(cache.getOrSet('a', () => late.promise));
      const second = observe(cache.getOrSet('a', () => 'newer'));
      await clock.advance(JOIN_MS);

      late.resolve('older');
      await settle();

      expect([first.value, second.value, cache.peek('a')]).toEqual(['older', 'newer', 'newer']);
    });

    it('that ends when its signal is aborted is told when the last caller leaves', async () => {
      const reason = new Error('the client went away');
      const request = new AbortController();
      const ended: unknown[] = [];
      const answer = observe(
        cache.getOrSet(
          'a',
          ({ signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                ended.push(signal.reason);
                reject(signal.reason as Error);
              });
            }),
          { signal: request.signal },
        ),
      );
      await settle();

      request.abort(reason);
      await settle();

      expect([answer.error, ended]).toEqual([reason, [reason]]);
      await expectNothingStored('a');
    });

    it('that gives itself up has its callers get the error of that', async () => {
      const query = new AbortController();
      const answer = observe(
        cache.getOrSet('a', async () => {
          await Promise.resolve();
          query.abort();
          return query.signal.throwIfAborted();
        }),
      );
      await settle();

      expect(answer.error).toMatchObject({ name: 'AbortError' });
      await expectNothingStored('a');
    });

    it('that asks for its own key at once is refused', async () => {
      const asking = cache.getOrSet('a', () => cache.getOrSet('a', () => 'inner'));

      await expect(asking).rejects.toBeInstanceOf(InvalidArgumentError);
      await expectNothingStored('a');
    });

    it('that asks for its own key later gets the value of another loader after joinTimeout', async () => {
      const answer = observe(
        cache.getOrSet('a', async () => {
          await settle();
          return `outer of ${await cache.getOrSet('a', () => 'inner')}`;
        }),
      );
      await settle();
      await settle();

      await clock.advance(JOIN_MS);

      expect(answer.value).toBe('outer of inner');
      expect(cache.peek('a')).toBe('inner');
    });

    it('that asks for its own key with itself later ends with a LoadTimeoutError', async () => {
      const load = async (): Promise<string> => {
        await Promise.resolve();
        return cache.getOrSet('a', load);
      };
      const answer = observe(cache.getOrSet('a', load));

      await clock.advance(LONG_MS);

      expect(answer.error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a');
    });

    it('that asks for a key whose loader asks for this one ends with a LoadTimeoutError', async () => {
      const loadA = async (): Promise<string> => {
        await Promise.resolve();
        return cache.getOrSet('b', loadB);
      };
      const loadB = async (): Promise<string> => {
        await Promise.resolve();
        return cache.getOrSet('a', loadA);
      };
      const answers = [observe(cache.getOrSet('a', loadA)), observe(cache.getOrSet('b', loadB))];

      await clock.advance(LONG_MS);

      for (const { error } of answers) expect(error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a', 'b');
    });

    it('that asks for several keys in a circle ends with a LoadTimeoutError', async () => {
      const asks: Record<string, string[]> = { a: ['b', 'c'], b: ['c', 'a'], c: ['a', 'b'] };
      const load = (key: string): Promise<string> =>
        cache.getOrSet(key, async () => {
          await settle();
          await Promise.all(asks[key]!.map(load));
          return key;
        });
      const callers = ['a', 'b', 'c'].map((key) => observe(load(key)));

      await clock.advance(LONG_MS);
      await settle();

      for (const { error } of callers) expect(error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a', 'b', 'c');
    });

    it('that asks for another key gets it', async () => {
      const answer = observe(
        cache.getOrSet('a', async () => `a of ${await cache.getOrSet('b', () => 'b')}`),
      );

      await clock.advance(JOIN_MS);

      expect([answer.value, cache.peek('b')]).toEqual(['a of b', 'b']);
    });
  });

  describe('a loader of several keys', () => {
    const several = (): Promise<Map<string, string>> =>
      cache.getOrSetMany(
        ['a', 'b'],
        (missing) => new Map(missing.map((key) => [key, `new ${key}`])),
      );

    it.each([[new Error('the database is away')], ['some text'], [undefined]])(
      'that throws %p has its callers get just that, and nothing stored',
      async (thrown) => {
        const fail = (): never => {
          throw thrown;
        };

        const answers = await Promise.allSettled([
          cache.getOrSetMany(['a', 'b'], fail),
          cache.getOrSet('b', fail),
        ]);

        expect(answers.map((answer) => 'reason' in answer && answer.reason === thrown)).toEqual([
          true,
          true,
        ]);
        await expectNothingStored('a', 'b');
      },
    );

    it.each([[undefined], [null], [{ a: 1 }], [[['a', 1]]]])(
      'that returns %p, which is no Map, is refused',
      async (answer) => {
        const asking = cache.getOrSetMany(['a', 'b'], () => answer as never);

        await expect(asking).rejects.toBeInstanceOf(InvalidArgumentError);
        await expectNothingStored('a', 'b');
      },
    );

    it('that leaves keys out, or has undefined for them, has these absent', async () => {
      const found = await cache.getOrSetMany(
        ['a', 'b', 'c'],
        () =>
          new Map<string, string | undefined>([
            ['a', 'value'],
            ['b', undefined],
          ]),
      );

      expect(found).toEqual(new Map([['a', 'value']]));
      await expectNothingStored('b', 'c');
    });

    it('that hangs is replaced for the others after joinTimeout', async () => {
      const first = observe(cache.getOrSetMany(['a', 'b'], () => hung.promise));
      await settle();
      const second = observe(several());
      const third = observe(cache.getOrSet('b', () => 'of b alone'));

      await clock.advance(2 * JOIN_MS);

      expect([first.state, second.value?.get('a'), third.state]).toEqual([
        'pending',
        'new a',
        'resolved',
      ]);
      expect(third.value).toBe(second.value?.get('b'));
    });

    it.each([
      ['waitTimeout', { waitTimeout: '1s' }],
      ['hardTimeout', { hardTimeout: '1s' }],
    ] as const)('that hangs is given up after %s', async (_name, bound) => {
      const hanging = observe(cache.getOrSetMany(['a', 'b'], () => hung.promise, bound));

      await clock.advance(1_000);

      expect(hanging.error).toBeInstanceOf(LoadTimeoutError);
      expect((await several()).size).toBe(2);
    });

    it('that resolves after hardTimeout has its values stored where there are none', async () => {
      const late = defer<Map<string, string>>();
      const bound = { hardTimeout: '1s' } as const;
      const caller = observe(cache.getOrSetMany(['a', 'b'], () => late.promise, bound));
      await clock.advance(1_000);
      await cache.getOrSet('b', () => 'newer');

      late.resolve(
        new Map([
          ['a', 'late'],
          ['b', 'late'],
        ]),
      );
      await settle();

      expect(caller.error).toBeInstanceOf(LoadTimeoutError);
      expect([cache.peek('a'), cache.peek('b')]).toEqual(['late', 'newer']);
    });

    it('that ends when its signal is aborted is told when the last caller leaves', async () => {
      const reason = new Error('the client went away');
      const request = new AbortController();
      const answer = observe(
        cache.getOrSetMany(
          ['a', 'b'],
          (_missing, { signal }) =>
            new Promise<Map<string, string>>((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            }),
          { signal: request.signal },
        ),
      );
      await settle();

      request.abort(reason);
      await settle();

      expect(answer.error).toBe(reason);
      await expectNothingStored('a', 'b');
    });

    it('that asks for one of its own keys at once is refused', async () => {
      const asking = [
        cache.getOrSetMany(['a', 'b'], async () => {
          return new Map([['a', await cache.getOrSet('b', () => 'inner')]]);
        }),
        cache.getOrSetMany(['c', 'd'], () =>
          cache.getOrSetMany(['d'], () => new Map<string, string>()),
        ),
      ];

      for (const { status, reason } of (await Promise.allSettled(
        asking,
      )) as PromiseRejectedResult[])
        expect([status, reason]).toEqual(['rejected', expect.any(InvalidArgumentError)]);
      await expectNothingStored('a', 'b', 'c', 'd');
    });

    it('that asks for one of its own keys later gets it from another loader in the end', async () => {
      const answer = observe(
        cache.getOrSetMany(['a', 'b'], async () => {
          await settle();
          return new Map([['a', `outer of ${await cache.getOrSet('b', () => 'inner')}`]]);
        }),
      );
      await settle();
      await settle();

      await clock.advance(2 * JOIN_MS);

      expect(answer.value?.get('a')).toBe('outer of inner');
      expect([cache.peek('a'), cache.peek('b')]).toEqual(['outer of inner', 'inner']);
    });
  });
});

describe.each(CACHES.slice(0, 2))(`${CacheHierarchy.name} with %s`, (_, options) => {
  useCache(options);

  describe('a loader of several keys', () => {
    it('that asks for its own keys with itself later ends with a LoadTimeoutError', async () => {
      const load = async (): Promise<Map<string, string>> => {
        await Promise.resolve();
        return cache.getOrSetMany(['a', 'b'], load);
      };
      const answer = observe(load());

      await clock.advance(LONG_MS);

      expect(answer.error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a', 'b');
    });

    it('that asks for keys whose loader asks for these ends with a LoadTimeoutError', async () => {
      const keys = [
        ['a', 'b'],
        ['c', 'd'],
      ];
      const load = (which: number) => async (): Promise<Map<string, string>> => {
        await Promise.resolve();
        return cache.getOrSetMany(keys[1 - which]!, load(1 - which));
      };
      const answers = [0, 1].map((which) => observe(cache.getOrSetMany(keys[which]!, load(which))));

      await clock.advance(LONG_MS);

      for (const { error } of answers) expect(error).toBeInstanceOf(LoadTimeoutError);
      await expectNothingStored('a', 'b', 'c', 'd');
    });
  });
});
