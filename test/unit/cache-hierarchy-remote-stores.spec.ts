import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, remote, report: () => {}, ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  open();
});

afterEach(() => closeWithNothingLeft(cache, clock));

describe(`${CacheHierarchy.name}: what is stored with a remote`, () => {
  it('goes into every level', async () => {
    await cache.set('key', 'set');
    await cache.getOrSet('other', () => 'loaded');

    for (const [key, value] of [
      ['key', 'set'],
      ['other', 'loaded'],
    ] as const) {
      expect(cache.l1.peek(key)).toBe(value);
      expect(cache.l2!.peek(key)).toBe(value);
      expect(remote.entries.read(key)?.value).toBe(value);
    }
  });

  it.each([
    ['with L2', {}, 600_000],
    ['without L2', { l2: false }, 600_000],
    ['with the ttl of L2', { l2: { ttl: '5s' } }, 5_000],
    ['with a ttl of its own', { ttl: '7s', l2: { ttl: '5s' } }, 7_000],
  ] as const)('lives for 600 s, or as the options say: %s', async (_, options, lifetimeMs) => {
    await cache.close();
    open(options);

    await cache.set('key', 'value');

    const { freshUntil, staleUntil } = remote.entries.read('key')!;
    expect([freshUntil, staleUntil]).toEqual([clock.now() + lifetimeMs, clock.now() + lifetimeMs]);
  });

  it('lives in the remote until the end of its grace', async () => {
    await cache.set('key', 'value', { ttl: 100, grace: 1_000 });

    expect(remote.entries.read('key')).toMatchObject({
      freshUntil: clock.now() + 100,
      staleUntil: clock.now() + 1_100,
    });
  });

  it('is told to the remote with its tags and the time of its load', async () => {
    await cache.getOrSet('key', async () => (await clock.advance(30), 'value'), { tags: 'tag' });

    expect(remote.entries.read('key')).toMatchObject({
      tags: ['tag'],
      loadMs: 30,
      bornAt: clock.now() - 30,
    });
  });

  it('is stored nowhere where it expires at once', async () => {
    await cache.getOrSet('key', ({ ttl }) => (ttl(0), 'value')).catch(() => {});
    await cache.set('other', 'value', { expiresAt: 1 });

    expect(remote.entries.size).toBe(0);
    expect(remote.calls.filter((call) => call.startsWith('write'))).toEqual([]);
  });

  it('takes the place of what the remote had, also where it is not to be kept', async () => {
    await cache.set('key', 'old');
    await cache.set('key', 'new', { expiresAt: 1 });

    expect(remote.entries.read('key')).toBeUndefined();
    expect(await cache.get('key')).toBeUndefined();
  });
});

describe(`${CacheHierarchy.name}: update with a remote`, () => {
  it('gets the current value from the remote', async () => {
    remote.put('key', entryOf(1, clock));

    const updated = await cache.update<number>('key', (current) => (current ?? 0) + 1);

    expect([updated, cache.peek('key'), remote.entries.read('key')?.value]).toEqual([2, 2, 2]);
    expect(cache.getMetrics()).toMatchObject({ gets: 0 });
  });

  it('gets no value that is only a stale answer', async () => {
    remote.put('key', entryOf(1, clock, { ttl: -1, grace: 1_000 }));

    expect(await cache.update('key', (current) => String(current))).toBe('undefined');
  });

  it('removes the key from the remote when it returns undefined', async () => {
    await cache.set('key', 1);

    await cache.update('key', () => undefined);

    expect(remote.entries.size).toBe(0);
    expect(remote.calls).toEqual(['write key', 'delete key']);
  });
});

describe(`${CacheHierarchy.name}: isolation with a remote`, () => {
  it('gives every caller a copy of its own', async () => {
    await cache.close();
    open({ isolation: 'clone' });
    const there = { name: 'Rome' };
    remote.put('key', entryOf(there, clock));
    const callers = [cache.get('key'), cache.getOrSet('key', () => ({})), cache.get('key')];

    const found = await Promise.all(callers);
    const [inspected] = (await cache.inspect('key')).toReversed();

    expect(found).toEqual([there, there, there]);
    expect(new Set([...found, there, inspected!.value, await cache.get('key')]).size).toBe(6);
  });

  it('gives update a copy, and sends the remote one', async () => {
    await cache.close();
    open({ isolation: 'clone' });
    const there = { count: 1 };
    remote.put('key', entryOf(there, clock));

    const next = await cache.update<{ count: number }>('key', (current) => {
      current!.count += 1;
      return current;
    });

    expect(there).toEqual({ count: 1 });
    expect(next).toEqual({ count: 2 });
    expect(remote.entries.read('key')?.value).toEqual({ count: 2 });
    expect(remote.entries.read('key')?.value).not.toBe(next);
  });

  it('gives the loader a copy of the stale value', async () => {
    await cache.close();
    open({ isolation: 'clone' });
    const old = { name: 'Rome' };
    remote.put('key', entryOf(old, clock, { ttl: -1, grace: 1_000 }));

    const shown = await cache.getOrSet('key', ({ stale }) => ({ stale }));

    expect(shown.stale).toEqual(old);
    expect(shown.stale).not.toBe(old);
  });
});
