import { describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheReport } from '../../lib/report.js';
import { defer } from '../support/deferred.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe(`${CacheHierarchy.name}: enabled and close`, () => {
  it('loads on every call and stores nothing when it is not enabled', async () => {
    const cache = new CacheHierarchy({ enabled: false, clock: new VirtualClock() });
    let loads = 0;
    const load = async (): Promise<number> => ++loads;

    await cache.set('key', 'set');
    const answers = await Promise.all([cache.getOrSet('key', load), cache.getOrSet('key', load)]);
    expect(answers).toEqual([1, 2]);
    expect(await cache.update('key', (current) => ({ current }))).toEqual({ current: undefined });

    expect([await cache.get('key'), cache.peek('key'), cache.l1.size]).toEqual([
      undefined,
      undefined,
      0,
    ]);
    expect(cache.getMetrics()).toMatchObject({ fenced: 0, hits: 0, misses: 3, inFlight: 0 });
    await cache.close();
  });

  it('keeps a caller free to leave a load that is not cached', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ enabled: false, clock });
    const loaded = defer();
    const leaver = new AbortController();

    const answer = cache.getOrSet('key', () => loaded.promise, { signal: leaver.signal });
    leaver.abort(new Error('gone'));

    await expect(answer).rejects.toThrow('gone');
    loaded.resolve();
    await clock.turn();
    await cache.close();
  });

  it('bypasses to the loader, ignores writes and holds nothing once closed', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ clock, report: () => {} });
    await cache.set('key', 'value');

    await cache.close();
    await cache.set('key', 'late');
    await cache.setMany([['key', 'late']]);

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(await cache.getOrSet('key', () => 'again')).toBe('again');
    expect(await cache.update('key', () => 'updated')).toBe('updated');
    expect(await cache.removeExpired()).toBe(0);
    expect([cache.l1.size, cache.l2?.size, clock.pending]).toEqual([0, 0, 0]);
  });

  it('reports the first invalidation after close and counts the others', async () => {
    const reports: CacheReport[] = [];
    const cache = new CacheHierarchy({
      clock: new VirtualClock(),
      report: (report) => reports.push(report),
    });
    await cache.close();

    expect(await cache.delete('key')).toBe(false);
    await cache.clear();
    await cache.invalidateTags(['a', 'b']);
    await cache.namespace('users').clear();

    expect(reports.map(({ code }) => code)).toEqual(['CACHE_CLOSED']);
    expect(cache.getMetrics()).toMatchObject({ lateInvalidations: 4, deletes: 0, clears: 0 });
  });

  it('answers who waits for a load when it is closed, and stores nothing of it', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ clock });
    const loaded = defer<string>();
    const callers = [
      cache.getOrSet('key', () => loaded.promise),
      cache.getOrSet('key', () => 'never called'),
    ];
    const updating = cache.update('other', () => loaded.promise);

    await cache.close();
    loaded.resolve('value');

    expect(await Promise.all([...callers, updating])).toEqual(['value', 'value', 'value']);
    expect([cache.l1.size, cache.l2?.size, clock.pending]).toEqual([0, 0, 0]);
    expect(cache.getMetrics()).toMatchObject({ inFlight: 0, loads: 1 });
  });

  it('leaves followers with the load they wait for when it is closed, and no timer', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ clock });
    const hung = defer<string>();
    const leader = cache.getOrSet('key', () => hung.promise);
    const follower = cache.getOrSet('key', () => 'own');

    await cache.close();
    expect(clock.pending).toBe(0);
    hung.resolve('late');

    expect(await Promise.all([leader, follower])).toEqual(['late', 'late']);
    expect(cache.l1.size).toBe(0);
  });

  it('lets in who waits for a lock when it is closed, stores nothing and leaves no timer', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ clock });
    const held = defer<string>();
    const first = cache.update('key', () => held.promise);
    const second = cache.update<string>('key', (current) => `after ${String(current)}`);
    const third = cache.set('key', 'set');

    await cache.close();
    expect(clock.pending).toBe(0);
    expect(await second).toBe('after undefined');
    await third;
    held.resolve('first');

    expect(await first).toBe('first');
    expect([cache.l1.size, cache.getMetrics().locks.heldKeys]).toEqual([0, 0]);
  });

  it('goes on when its report throws', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const report = (): never => {
      throw new Error('no logger');
    };
    const cache = new CacheHierarchy({ clock: new VirtualClock(), report });
    await cache.close();

    expect(await cache.delete('key')).toBe(false);
    expect(await cache.delete('key')).toBe(false);

    expect(cache.getMetrics().lateInvalidations).toBe(2);
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining('The report failed: Error: no logger'),
    ]);
    warn.mockRestore();
  });

  it('tells whether it caches', async () => {
    const cache = new CacheHierarchy({ clock: new VirtualClock() });
    const disabled = new CacheHierarchy({ enabled: false, clock: new VirtualClock() });
    const { active } = cache;

    await cache.close();

    expect([active, cache.active, disabled.active]).toEqual([true, false, false]);
    await disabled.close();
  });

  it('closes once however often it is asked, also by await using', async () => {
    const clock = new VirtualClock();
    const cache = new CacheHierarchy({ clock });

    expect(cache.close()).toBe(cache.close());
    await cache[Symbol.asyncDispose]();

    expect(clock.pending).toBe(0);
  });
});
