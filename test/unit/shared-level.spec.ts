import { describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { Lease } from '../../lib/levels/cache-level.js';
import type { ChangeFeed } from '../../lib/levels/change-feed.js';
import { defer, type Deferred } from '../support/deferred.js';
import { HeldLevel } from '../support/held-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const MAX_STALE_MS = 1_000;

/** A level that processes share; what it proves and leases a test says. Some keys are a group of their own. */
class SharedLevel extends HeldLevel {
  isProven = true;
  isFarProven = true;
  leases: Deferred<Lease>[] = [];

  constructor(clock: VirtualClock) {
    super('shared', clock, async (_, apply) => apply());
  }

  lease(): Promise<Lease> {
    const lease = defer<Lease>();
    this.leases.push(lease);
    return lease.promise;
  }

  follow(): ChangeFeed {
    return {
      groups: 2,
      maxStaleMs: MAX_STALE_MS,
      groupOf: (key) => (key.startsWith('far') ? 1 : 0),
      isProven: (group) => this.isProven && (group === 0 || this.isFarProven),
      stop: () => {},
    };
  }
}

function setUp(): { clock: VirtualClock; level: SharedLevel; cache: CacheHierarchy } {
  const clock = new VirtualClock();
  const level = new SharedLevel(clock);
  const report = (): void => {};
  const options = { clock, remote: level, l2: false as const, levelTimeout: 100, report };
  return { clock, level, cache: new CacheHierarchy(options) };
}

describe('a level that processes share', () => {
  it('gets a lease back that comes when nobody waits for it any more', async () => {
    const { clock, level, cache } = setUp();
    const loading = cache.getOrSet('key', () => 'loaded');
    await clock.advance(100);
    expect(await loading).toBe('loaded');
    let released = 0;
    level.leases[0]!.resolve({ state: 'load', token: 'late', release: () => (released += 1) });
    await clock.turn();

    expect(released).toBe(1);
    await cache.close();
  });

  it('is asked anew for what was stored without a proof, maxStale after its call', async () => {
    const { clock, level, cache } = setUp();
    level.isProven = false;
    expect(cache.has('key')).toBe(false);
    const updating = cache.update('key', async () => {
      await new Promise<void>((resolve) => void clock.setTimer(resolve, MAX_STALE_MS - 1));
      return 'new';
    });
    await clock.advance(MAX_STALE_MS - 1);
    await updating;
    expect(cache.has('key')).toBe(true);

    await clock.advance(1);
    expect(cache.has('key')).toBe(false);
    await cache.close();
  });

  it.each([false, '1h'] as const)(
    'leaves no stale answer of what was stored without a proof, with a grace of %s',
    async (grace) => {
      const { clock, level, cache } = setUp();
      level.isProven = false;
      await cache.set('key', 'old', { grace });
      await cache.delete('nothing');
      await clock.advance(MAX_STALE_MS);
      level.entries.delete('key');
      const failing = cache.getOrSet('key', () => {
        throw new Error('the loader failed');
      });
      const failed = expect(failing).rejects.toThrow('the loader failed');
      await clock.advance(100);

      await failed;
      await cache.close();
    },
  );

  it('has what was stored without a proof as a stale answer for maxStale', async () => {
    const { clock, level, cache } = setUp();
    level.isProven = false;
    await cache.set('key', 'old', { ttl: 10, grace: '1h' });
    await clock.advance(MAX_STALE_MS - 200);
    level.entries.delete('key');
    const failing = cache.getOrSet('key', () => {
      throw new Error('the loader failed');
    });
    await clock.advance(100);

    expect(await failing).toBe('old');
    await cache.close();
  });

  it('has nobody join a load that takes longer than maxStale without a proof', async () => {
    const { clock, level, cache } = setUp();
    level.isProven = false;
    const rows = [defer<string>(), defer<string>()];
    let loads = 0;
    const load = (): Promise<string> => cache.getOrSet('key', () => rows[loads++]!.promise);
    const first = load();
    await clock.advance(MAX_STALE_MS - 1);
    const joined = load();
    await clock.advance(101);
    const later = load();
    await clock.advance(100);
    rows[0]!.resolve('old');
    rows[1]!.resolve('new');

    expect(await Promise.all([first, joined, later])).toEqual(['old', 'old', 'new']);
    expect(cache.peek('key')).toBe('new');
    await cache.close();
  });

  it('is asked anew for keys of the groups only of which there is no proof', async () => {
    const { clock, level, cache } = setUp();
    level.isFarProven = false;
    await cache.set('key', 'old');
    await clock.advance(1);
    await cache.setMany([
      ['key', 'new'],
      ['far', 'new'],
    ]);
    await clock.advance(MAX_STALE_MS);

    expect([cache.has('key'), cache.has('far')]).toEqual([true, false]);
    await cache.close();
  });

  it('is asked anew for what was loaded from before the first proof on', async () => {
    const { clock, level, cache } = setUp();
    level.isProven = false;
    const row = defer<string>();
    const updating = cache.update('key', () => row.promise);
    await clock.advance(10);
    level.isProven = true;
    expect(cache.has('key')).toBe(false);
    row.resolve('new');
    await updating;
    expect(cache.has('key')).toBe(true);

    await clock.advance(MAX_STALE_MS);
    expect(cache.has('key')).toBe(false);
    await cache.close();
  });
});
