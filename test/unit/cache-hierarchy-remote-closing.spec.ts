import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheLevelError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheReport } from '../../lib/report.js';
import { closeWithNothingLeft, patiently } from '../support/leftovers.js';
import { rejectionOf } from '../support/observed.js';
import { ALL_OPERATIONS, AWAY, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;
let reports: CacheReport[];

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  reports = [];
  cache = new CacheHierarchy({
    clock,
    remote,
    l1: { ttl: 100 },
    l2: false,
    report: (what) => void reports.push(what),
  });
});

afterEach(() => closeWithNothingLeft(cache, clock));

describe(`${CacheHierarchy.name}: delete with require: 'remote'`, () => {
  it('resolves when the remote has carried it out', async () => {
    await cache.set('key', 1);

    expect(await cache.delete('key', { require: 'remote' })).toBe(true);
    expect(await cache.deleteMany(['key', 'other'], { require: 'remote' })).toBe(0);
  });

  it('resolves where there is no remote', async () => {
    const local = new CacheHierarchy({ clock });
    await local.set('key', 1);

    expect(await local.delete('key', { require: 'remote' })).toBe(true);
    await local.close();
  });

  it.each(['fail', 'hang'] as const)('rejects where the remote %ss', async (way) => {
    remote.when('delete', way);
    const failure = {
      code: 'CACHE_LEVEL_FAILED',
      name: CacheLevelError.name,
      message:
        'A delete failed in the level remote and is tried again: in this process nothing old is ' +
        'read any more, other processes may have it yet.',
    };

    const deleting = cache.delete('key', { require: 'remote' }).catch((error: unknown) => error);
    expect(await patiently(clock, deleting)).toMatchObject(failure);
    const many = cache
      .deleteMany(['a', 'b'], { require: 'remote' })
      .catch((error: unknown) => error);
    expect(await patiently(clock, many)).toMatchObject(failure);
  });

  it('has the error of the level as the cause, or that it is late', async () => {
    const causeOf = async (): Promise<unknown> => {
      const deleting = cache.delete('key', { require: 'remote' });
      return ((await patiently(clock, rejectionOf(deleting))) as CacheLevelError).cause;
    };
    remote.when('delete', 'fail');
    expect(await causeOf()).toBe(AWAY);
    remote.when('delete', 'hang');
    expect(await causeOf()).toEqual(new Error('the delete took longer than 1000 ms'));
    remote.when('delete', () => 'queued');
    expect(await causeOf()).toBeUndefined();
  });

  it('has the last error as the cause where a level that is down is not even asked', async () => {
    remote.when('delete', 'fail');
    const causes: unknown[] = [];
    for (let time = 0; time < 6; time++) {
      const error = await rejectionOf(cache.delete(`${time}`, { require: 'remote' }));
      causes.push((error as CacheLevelError).cause);
    }

    expect(causes).toEqual(Array(6).fill(AWAY));
    expect(cache.getMetrics().lower.remote?.unsent).toBe(1);
  });

  it('has the errors of both levels where both have failed', async () => {
    const [l2, both] = [new ScriptedLevel(clock, 'mine'), new ScriptedLevel(clock)];
    const two = new CacheHierarchy({ clock, l2, remote: both, report: () => {} });
    for (const level of [l2, both]) level.when('delete', 'fail');

    const error = await rejectionOf(two.delete('key', { require: 'remote' }));
    expect((error as CacheLevelError).cause).toMatchObject({ errors: [AWAY, AWAY] });
    await two.close();
  });

  it('rejects where the remote has only noted it', async () => {
    remote.when('delete', () => 'queued');

    expect(await cache.delete('key')).toBe(false);
    await expect(cache.delete('key', { require: 'remote' })).rejects.toThrow(
      'A delete is queued by a level: in this process nothing old is read any more',
    );
  });

  it('rejects once the key is gone from this process', async () => {
    await cache.set('key', 1);
    remote.when('delete', 'fail');

    await expect(cache.delete('key', { require: 'remote' })).rejects.toThrow(CacheLevelError);
    expect(cache.has('key')).toBe(false);
  });
});

describe(`${CacheHierarchy.name}: close with a remote`, () => {
  it('ends every call under way, and the remote once', async () => {
    remote.when(ALL_OPERATIONS, 'hang');
    const pending = [
      cache.get('a'),
      cache.getMany(['a', 'b']),
      cache.getOrSet('c', () => 'loaded'),
      cache.getOrSetMany(['d'], (missing) => new Map(missing.map((key) => [key, 1]))),
      cache.set('e', 1),
      cache.update('f', () => 1),
      cache.delete('g'),
      cache.invalidateTags('tag'),
      cache.clear(),
      cache.inspect('h'),
    ];
    await clock.turn();
    await Promise.all([cache.close(), cache.close()]);

    expect(clock.pending).toBe(0);
    expect((await Promise.all(pending)).slice(0, 3)).toEqual([undefined, new Map(), 'loaded']);
    expect(remote.closed).toBe(1);
  });

  it('bypasses the remote from then on', async () => {
    await cache.set('key', 'value');
    await cache.close();
    remote.takeCalls();

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    await cache.set('key', 1);
    expect(await cache.update('key', (current) => String(current))).toBe('undefined');
    await cache.delete('key', { require: 'remote' });
    await cache.clear();
    expect([await cache.inspect('key'), remote.calls]).toEqual([[], []]);
  });

  it('settles where the remote does not close, and reports it', async () => {
    remote.close = () => new Promise(() => {});
    const closing = cache.close();
    await clock.advance(1_000);
    await closing;

    expect(reports).toEqual([
      { code: 'CACHE_LEVEL_NOT_CLOSED', message: 'Level remote did not close.' },
    ]);
  });
});

describe(`${CacheHierarchy.name}: not enabled, with a remote`, () => {
  it('asks the remote for nothing', async () => {
    const off = new CacheHierarchy({ clock, remote, enabled: false });
    await off.set('key', 1);

    expect([await off.get('key'), await off.getOrSet('key', () => 2)]).toEqual([undefined, 2]);
    expect((await off.getMany(['key'])).size).toBe(0);
    expect(await off.inspect('key')).toEqual([]);
    expect(remote.calls).toEqual([]);
    await off.close();
  });
});
