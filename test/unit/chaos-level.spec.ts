import { beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { ChaosError } from '../../lib/testing/chaos.js';
import { ChaosLevel } from '../../lib/testing/chaos-level.js';
import type { ChaosOptions } from '../../lib/testing/chaos-options.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { entryAt } from '../../lib/testing/level-bench.js';
import { MapLevel } from '../../lib/testing/map-level.js';
import { observe, rejectionOf } from '../support/observed.js';

let clock: FakeClock;
let store: MapLevel;

beforeEach(() => {
  clock = new FakeClock();
  store = new MapLevel({ clock });
});

function chaos(options: ChaosOptions = {}): ChaosLevel {
  return new ChaosLevel({ level: store, clock, ...options });
}

function write(level: ChaosLevel, key: string): Promise<unknown> {
  return Promise.resolve(level.write(new Map([[key, entryAt(clock.now(), key)]])));
}

/** Which of a number of writes fail. */
async function failuresOf(level: ChaosLevel, writes = 50): Promise<number[]> {
  const failed: number[] = [];
  for (let index = 0; index < writes; index++) {
    await write(level, `key ${index}`).catch(() => failed.push(index));
  }
  return failed;
}

describe(ChaosLevel.name, () => {
  it('does nothing of its own unless it is told to', async () => {
    const level = chaos();

    expect(await failuresOf(level)).toEqual([]);
    expect(level.counts).toEqual({ calls: 50, failedBefore: 0, failedAfter: 0, hung: 0 });
  });

  it('fails about as many calls as it is told to, and does not carry them out', async () => {
    const level = chaos({ failBefore: 0.3, seed: 7 });
    const failed = await failuresOf(level);

    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(25);
    expect(store.keys).toHaveLength(50 - failed.length);
    expect(level.counts).toMatchObject({ calls: 50, failedBefore: failed.length });
  });

  it('carries calls out that fail afterwards', async () => {
    const level = chaos({ failAfter: 1 });
    const error = await rejectionOf(write(level, 'key'));

    expect(error).toBeInstanceOf(ChaosError);
    expect(store.keys).toEqual(['key']);
    expect(level.counts).toMatchObject({ calls: 1, failedAfter: 1 });
  });

  it('does the same with the same seed, which it tells', async () => {
    const rates = { failBefore: 0.2, failAfter: 0.2 };
    const first = chaos(rates);
    const failures = await failuresOf(first);

    expect(await failuresOf(chaos({ ...rates, seed: first.seed }))).toEqual(failures);
    expect(await failuresOf(chaos({ ...rates, seed: (first.seed + 1) % 2 ** 32 }))).not.toEqual(
      failures,
    );
  });

  it('does after an outage what it would have done without one', async () => {
    const [first, second] = [0, 1].map(() => chaos({ failBefore: 0.5, seed: 3 }));
    await failuresOf(first!, 10);
    second!.down();
    await failuresOf(second!, 10);
    second!.up();

    expect(await failuresOf(second!)).toEqual(await failuresOf(first!));
  });

  it('fails every call while it is down', async () => {
    const level = chaos();
    level.down();
    const failed = await failuresOf(level, 3);
    level.up();
    await write(level, 'after');

    expect(failed).toEqual([0, 1, 2]);
    expect(store.keys).toEqual(['after']);
  });

  it('does not answer while it hangs, and fails those calls when it is up again', async () => {
    const level = chaos();
    level.down('hang');
    const hanging = observe(write(level, 'key'));
    await clock.advance('1d');
    const before = [hanging.state, level.pending];
    level.up();
    await clock.turn();

    expect(before).toEqual(['pending', 1]);
    expect(hanging.error).toBeInstanceOf(ChaosError);
    expect([store.keys, level.pending, clock.pending]).toEqual([[], 0, 0]);
    expect(level.counts).toMatchObject({ calls: 1, hung: 1 });
  });

  it('keeps every call waiting for as long as it is told to', async () => {
    const level = chaos({ delay: '50ms' });
    const delayed = observe(write(level, 'key'));
    await clock.advance(49);
    const before = [delayed.state, store.keys.length];
    await clock.advance(1);

    expect(before).toEqual(['pending', 0]);
    expect([delayed.state, store.keys.length]).toEqual(['resolved', 1]);
  });

  it('draws each delay between two', async () => {
    const level = chaos({ delay: [10, 100] });
    const delayed = Array.from({ length: 30 }, (_, index) => observe(write(level, `${index}`)));
    await clock.advance(55);
    const early = delayed.filter(({ state }) => state === 'resolved').length;
    await clock.advance(45);

    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(30);
    expect(delayed.every(({ state }) => state === 'resolved')).toBe(true);
  });

  it('ends what is delayed and what hangs when it is closed, and not what is delayed when it is up', async () => {
    const level = chaos({ delay: 50 });
    const delayed = observe(write(level, 'key'));
    level.up();
    await clock.turn();
    const before = delayed.state;
    await level.close();

    expect([before, delayed.state, clock.pending]).toEqual(['pending', 'rejected', 0]);
  });

  it('changes the rates that it is given, and leaves the others', async () => {
    const level = chaos({ failBefore: 1, delay: 10 });
    level.set({ failBefore: 0 });
    const delayed = observe(write(level, 'key'));
    await clock.turn();
    const before = delayed.state;
    await clock.advance(10);

    expect([before, delayed.state]).toEqual(['pending', 'resolved']);
  });

  it('works on the real clock', async () => {
    const level = new ChaosLevel({ delay: 1 });

    expect(await failuresOf(level, 2)).toEqual([]);
    expect([level.name, level.inProcess]).toEqual(['map', false]);
  });

  it('fails at once in this process', () => {
    const level = chaos({ level: new MapLevel({ clock, inProcess: true }) });
    level.down();

    expect(() => level.readNow('key')).toThrow(ChaosError);
    expect(() => level.read(['key'])).toThrow(ChaosError);
    expect(() => level.down('hang')).toThrow(TypeError);
    level.up();
    expect(level.read(['key'])).toEqual(new Map());
  });

  it.each([
    [{ failBefore: 2 }, 'failBefore: must be a number from 0 to 1, got 2'],
    [{ hang: '1' as never }, 'hang: must be a number from 0 to 1, got "1"'],
    [{ failBefore: 0.6, failAfter: 0.6 }, 'failBefore: must be at most 1 together'],
    [{ delay: -1 }, 'delay: must be 0, a duration, or two of them, the shorter one first, got -1'],
    [{ delay: [2, 1] as const }, 'delay: must be 0, a duration'],
    [{ failbefore: 1 } as never, 'failbefore: is unknown'],
    [{ level: {} as never }, 'level: must have the methods read, write'],
    [{ seed: -1 }, 'seed: must be a whole number'],
  ])('refuses %p', (options: ChaosOptions, message) => {
    expect(() => chaos(options)).toThrow(message);
  });

  it('refuses to let a level in this process wait, then or later', () => {
    const inside = { level: new MapLevel({ inProcess: true }) };

    expect(() => chaos({ ...inside, delay: 5 })).toThrow('delay: must be 0 for a level in this');
    expect(() => chaos(inside).set({ hang: 0.5 })).toThrow('hang: must be 0 for a level in this');
  });

  it('disturbs its scopes as itself, and has none where the level behind has none', async () => {
    const level = chaos();
    const scope = level.scope!('sessions');
    await scope.write(new Map([['key', entryAt(clock.now(), 1)]]));
    level.down();
    const error = await rejectionOf(Promise.resolve(scope.read(['key'])));

    expect(error).toBeInstanceOf(ChaosError);
    expect([store.keys, store.scope('sessions').keys]).toEqual([[], ['key']]);
    expect(level.counts).toMatchObject({ calls: 2, failedBefore: 1 });
    const plain = { read: () => new Map(), write: () => new Map(), inProcess: false };
    expect(chaos({ level: plain as never }).scope).toBeUndefined();
  });

  it('is a level whose outages a cache survives', async () => {
    const level = chaos();
    const cache = new CacheHierarchy({ clock, l2: false, remote: level, report: () => {} });
    level.down();
    const loaded = await cache.getOrSet('key', () => 1);
    level.up();
    await cache.set('other', 2);

    expect([loaded, store.keys]).toEqual([1, ['other']]);
    expect(cache.getMetrics().lower.remote).toMatchObject({ down: false, failures: 2 });
    await cache.close();
  });
});
