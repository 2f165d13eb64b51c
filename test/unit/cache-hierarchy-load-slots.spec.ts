import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { defer, type Deferred } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;
/** The loaders that run, in the order in which they began. */
let running: { readonly key: string; readonly row: Deferred<string> }[];

function open(maxConcurrentLoads: number, options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, maxConcurrentLoads, joinTimeout: '10s', ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
  running = [];
});

afterEach(async () => {
  for (const { row } of running) row.resolve('at the end');
  await clock.turn();
  expect(cache.getMetrics()).toMatchObject({ inFlight: 0, waitingLoads: 0 });
  await cache.close();
  expect(clock.pending).toBe(0);
});

/** Asks for a key with a loader that waits until it is let go. */
function ask(key: string, options: object = {}): Promise<string> {
  const answer = cache.getOrSet(
    key,
    ({ key: shown }) => {
      const row = defer<string>();
      running.push({ key: shown, row });
      return row.promise;
    },
    options,
  );
  answer.catch(() => {});
  return answer;
}

function keysRunning(): string[] {
  return running.map(({ key }) => key);
}

describe(`${CacheHierarchy.name}: maxConcurrentLoads`, () => {
  it('lets so many loaders run, and the others wait their turn', async () => {
    open(2);
    const answers = ['a', 'b', 'c', 'd'].map((key) => ask(key));
    await clock.turn();
    expect(keysRunning()).toEqual(['a', 'b']);
    expect(cache.getMetrics()).toMatchObject({ waitingLoads: 2, loads: 2 });

    running[1]!.row.resolve('B');
    await clock.turn();
    expect(keysRunning()).toEqual(['a', 'b', 'c']);

    for (const at of [0, 2, 3]) {
      running[at]!.row.resolve('value');
      await clock.turn();
    }
    expect(await Promise.all(answers)).toEqual(['value', 'B', 'value', 'value']);
  });

  it('gives the slot on when a loader fails', async () => {
    open(1);
    const failing = ask('a');
    const waiting = ask('b');
    await clock.turn();
    running[0]!.row.reject(new Error('away'));

    await expect(failing).rejects.toThrow('away');
    await clock.turn();
    running[1]!.row.resolve('B');
    expect(await waiting).toBe('B');
  });

  it('starts a loader without a slot after joinTimeout', async () => {
    open(1);
    void ask('hung');
    const answer = ask('key');
    await clock.advance(9_999);
    expect(keysRunning()).toEqual(['hung']);
    await clock.advance(1);
    running[1]!.row.resolve('loaded');

    expect(await answer).toBe('loaded');
  });

  it('gives the slot of a load on that has taken too long', async () => {
    open(1);
    const late = ask('hung', { hardTimeout: 100 });
    void ask('key');
    await clock.advance(100);

    await expect(late).rejects.toThrow('hardTimeout');
    expect(keysRunning()).toEqual(['hung', 'key']);
  });

  it('never calls the loader of one whose callers have left while it waited', async () => {
    open(1);
    void ask('a');
    const left = ask('b', { waitTimeout: 100 });
    await clock.advance(100);
    running[0]!.row.resolve('A');
    await clock.turn();

    await expect(left).rejects.toThrow('waitTimeout');
    expect(keysRunning()).toEqual(['a']);
    expect(cache.getMetrics()).toMatchObject({ loads: 1 });
  });

  it('counts the wait for a slot against hardTimeout', async () => {
    open(1);
    void ask('a');
    const late = ask('b', { hardTimeout: 100 });
    await clock.advance(100);

    await expect(late).rejects.toThrow('hardTimeout');
    expect(keysRunning()).toEqual(['a']);
  });

  it('takes one slot for a batch', async () => {
    open(1);
    const batch = cache.getOrSetMany(['a', 'b', 'c'], async (missing) => {
      await clock.turn();
      return new Map(missing.map((key) => [key, key]));
    });
    const after = ask('key');
    expect((await batch).size).toBe(3);
    await clock.turn();
    running[0]!.row.resolve('loaded');

    expect(await after).toBe('loaded');
  });

  it('has a batch wait for a slot, too', async () => {
    open(1);
    void ask('key');
    let batches = 0;
    const batch = cache.getOrSetMany(['a', 'b'], () => ((batches += 1), new Map([['a', 1]])));
    await clock.turn();
    expect([batches, cache.getMetrics().waitingLoads]).toEqual([0, 1]);
    running[0]!.row.resolve('loaded');

    expect([...(await batch)]).toEqual([['a', 1]]);
  });

  it('delays loaders that load, and deadlocks none', async () => {
    open(1);
    const outer = cache.getOrSet('outer', async () => {
      await clock.turn();
      const inner = await cache.getOrSet('inner', () => 'inner');
      return `outer of ${inner}`;
    });
    await clock.turn();
    await clock.advance(10_000);

    expect(await outer).toBe('outer of inner');
  });

  it.each([1, 2, 3])(
    'ends a circle of loaders that ask for several keys, of %i slots',
    async (n) => {
      open(n);
      let calls = 0;
      const asks: Record<string, string[]> = { a: ['b', 'c'], b: ['c', 'a'], c: ['a', 'b'] };
      const load = (key: string): Promise<string> =>
        cache.getOrSet(key, async () => {
          calls += 1;
          await Promise.resolve();
          if (key === 'a') await cache.getOrSetMany(asks[key]!, loadMany);
          else await Promise.all(asks[key]!.map(load));
          return key;
        });
      const loadMany = async (keys: readonly string[]): Promise<Map<string, string>> => {
        const rows = await Promise.all(keys.map((key) => load(key)));
        return new Map(keys.map((key, at) => [key, rows[at]!]));
      };
      const answers = Promise.allSettled(['a', 'b', 'c'].map(load));
      for (let wait = 0; wait < 30; wait++) await clock.advance(10_000);

      expect((await answers).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
      expect(calls).toBeLessThan(60);
    },
  );

  it('limits those loaders only that run: a hit in the remote needs no slot', async () => {
    const remote = new ScriptedLevel(clock);
    open(1, { remote });
    remote.put('key', entryOf('there', clock));
    void ask('a');
    await clock.turn();

    expect(await ask('key')).toBe('there');
  });

  it('limits refreshes, too', async () => {
    open(1, { ttl: 1_000 });
    await cache.set('key', 'old', { eager: 0.5 });
    void ask('a');
    await clock.advance(600);
    await ask('key');
    expect(keysRunning()).toEqual(['a']);
    running[0]!.row.resolve('A');
    await clock.turn();

    expect(keysRunning()).toEqual(['a', 'key']);
  });

  it('lets those who wait go when the cache is closed, and limits nobody afterwards', async () => {
    open(1);
    void ask('a');
    void ask('b');
    await clock.turn();
    await cache.close();
    void ask('c');
    await clock.turn();

    expect(keysRunning()).toEqual(['a', 'b', 'c']);
    expect(clock.pending).toBe(0);
  });

  it('limits nobody where nothing is cached', async () => {
    open(1, { enabled: false });
    void ask('a');
    void ask('b');
    await clock.turn();

    expect(keysRunning()).toEqual(['a', 'b']);
  });
});
