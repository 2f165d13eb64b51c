import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { observe } from '../support/observed.js';
import { ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LOCK_MS = 5_000;

let clock: VirtualClock;
let cache: CacheHierarchy;

describe.each([
  ['levels in memory', false],
  ['a remote level below', true],
])(`${CacheHierarchy.name} with %s: an update`, (_, hasRemote) => {
  beforeEach(async () => {
    clock = new VirtualClock();
    const levels = hasRemote ? { remote: new ScriptedLevel(clock) } : {};
    cache = new CacheHierarchy({ clock, lockTimeout: LOCK_MS, ...levels });
    await cache.set('key', 'old');
  });

  afterEach(() => closeWithNothingLeft(cache, clock));

  const own: [string, () => Promise<unknown>][] = [
    ['set', () => cache.set('key', 'inner')],
    ['update', () => cache.update('key', () => 'inner')],
  ];

  it.each(own)(
    'that waits for a %s of its own key fails with it after lockTimeout',
    async (_name, inner) => {
      const update = observe(
        cache.update('key', async () => {
          await inner();
          return 'outer';
        }),
      );
      await clock.advance(LOCK_MS - 1);
      expect(update.state).toBe('pending');
      await clock.advance(1);

      expect(update.error).toBeInstanceOf(LockTimeoutError);
      expect(await cache.get('key')).toBeUndefined();
    },
  );

  it.each(own)(
    'that goes on after a %s of its own key returns its value and does not store it',
    async (_name, inner) => {
      const update = observe(
        cache.update('key', async () => {
          await inner().catch(() => {});
          return 'outer';
        }),
      );
      await clock.advance(LOCK_MS);

      expect(update.value).toBe('outer');
      expect(await cache.get('key')).toBeUndefined();
    },
  );

  it('that starts a set of its own key and does not wait for it has that stored after it', async () => {
    let inner: Promise<void> | undefined;
    const update = observe(
      cache.update('key', () => {
        inner = cache.set('key', 'inner');
        return 'outer';
      }),
    );
    await clock.advance(1);
    await inner;

    expect([update.value, await cache.get('key')]).toEqual(['outer', 'inner']);
  });

  it('that loads or deletes its own key waits for no lock', async () => {
    const updated = await cache.update('key', async () => {
      await cache.delete('key');
      return cache.getOrSet('key', () => 'loaded');
    });

    expect(updated).toBe('loaded');
  });
});
