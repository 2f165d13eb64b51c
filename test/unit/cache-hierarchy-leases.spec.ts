import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import type { Lease, LeaseMode, LevelEntry, WriteOutcome } from '../../lib/levels/cache-level.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A level that says of each key what the test wants, and that has it loaded otherwise. */
class LeasingLevel extends ScriptedLevel {
  readonly answers: Lease['state'][] = [];
  readonly asked: LeaseMode[] = [];
  readonly tokens: (string | undefined)[] = [];
  readonly released: string[] = [];
  failing = false;

  async lease(key: string, mode: LeaseMode = {}): Promise<Lease> {
    if (this.failing) throw new Error('the level is away');
    this.asked.push(mode);
    const state = this.answers.shift() ?? 'load';
    if (state === 'wait') return { state, waitMs: 1_000 };
    if (state === 'hit') return { state, entry: this.entries.read(key)! };
    if (state === 'held') return { state };
    const token = `token ${this.asked.length}`;
    return { state, token, release: () => void this.released.push(token) };
  }

  override write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Promise<Map<string, WriteOutcome>> {
    for (const key of entries.keys()) this.tokens.push(tokens?.get(key));
    return super.write(entries);
  }
}

let clock: VirtualClock;
let remote: LeasingLevel;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, remote, l2: false, report: () => {}, ...options });
}

async function reopen(options: CacheHierarchyOptions): Promise<void> {
  await cache.close();
  open(options);
}

beforeEach(() => {
  clock = new VirtualClock();
  remote = new LeasingLevel(clock);
  open();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await clock.turn();
  await closeWithNothingLeft(cache, clock);
});

describe(`${CacheHierarchy.name}: leases`, () => {
  it('are taken for a load, used to store it, and given back', async () => {
    expect(await cache.getOrSet('key', () => 'loaded', { tags: 'tag' })).toBe('loaded');

    expect(remote.asked).toEqual([{ tags: ['tag'], force: false }]);
    expect(remote.tokens).toEqual(['token 1']);
    expect(remote.released).toEqual(['token 1']);
  });

  it('are not asked for where there is a value, nor for a set', async () => {
    remote.put('key', entryOf('there', clock));
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('there');
    await cache.set('other', 'set');

    expect(remote.asked).toEqual([]);
    expect(remote.tokens).toEqual([undefined]);
  });

  it.each([
    ['fails', async () => Promise.reject(new Error('the database is away'))],
    ['brings nothing', () => undefined],
    ['skips', (context: LoadContext) => context.skip()],
  ])('are given back where the loader %s', async (_, loader) => {
    await cache.getOrSet('key', loader).catch(() => {});

    expect(remote.released).toEqual(['token 1']);
    expect(remote.tokens).toEqual([]);
  });

  it('have a load wait for that of another process, and find what it brings', async () => {
    remote.answers.push('wait', 'wait', 'hit');
    const answer = cache.getOrSet('key', () => 'loaded');
    await clock.turn();
    remote.put('key', entryOf('of another', clock));
    await clock.advance(500);

    expect(await answer).toBe('of another');
    expect(cache.getMetrics()).toMatchObject({ loads: 0 });
  });

  it('are waited for no longer than joinTimeout; what is loaded then stays in this process', async () => {
    await reopen({ joinTimeout: '1s' });
    remote.answers.push(...Array.from({ length: 50 }, () => 'wait' as const));
    const answer = cache.getOrSet('key', () => 'loaded');
    await clock.advance(999);
    expect(cache.getMetrics()).toMatchObject({ loads: 0 });
    await clock.advance(1);

    expect(await answer).toBe('loaded');
    expect(cache.peek('key')).toBe('loaded');
    expect(remote.tokens).toEqual([]);
  });

  it('say of a held key that nothing is stored', async () => {
    remote.answers.push('held');

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(cache.has('key')).toBe(false);
    expect(remote.tokens).toEqual([]);
  });

  it('that are lost to an invalidation elsewhere keep the value out of this process, too', async () => {
    remote.when('write', () => new Map([['key', 'fenced']]));

    expect(await cache.getOrSet('key', () => 'old')).toBe('old');
    expect(cache.has('key')).toBe(false);
  });

  it('are given up by a load that is replaced, so that the next need not wait', async () => {
    await reopen({ joinTimeout: '1s' });
    const hung = cache.getOrSet('key', () => new Promise(() => {}), { waitTimeout: '3s' });
    const next = cache.getOrSet('key', () => 'loaded');
    await clock.advance(1_000);

    expect(await next).toBe('loaded');
    expect(remote.released).toEqual(['token 1', 'token 2']);
    await expect(Promise.all([hung, clock.advance(2_000)])).rejects.toThrow('waitTimeout');
  });

  it('do not have a batch wait while it has others', async () => {
    remote.answers.push('wait', 'load');
    const found = await cache.getOrSetMany(
      ['a', 'b'],
      async (keys) => new Map(keys.map((key) => [key, `value of ${key}`])),
    );

    expect(found.size).toBe(2);
    expect(remote.tokens).toEqual(['token 2']);
  });

  it('leave a refresh to the process that has one', async () => {
    // The moment of a refresh is drawn: it is not to be in the very last millisecond.
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await reopen({ eager: 0.5 });
    await cache.getOrSet('key', () => 'first', { ttl: 1_000 });
    remote.answers.push('wait');
    await clock.advance(999);
    expect(await cache.getOrSet('key', () => 'second', { ttl: 1_000 })).toBe('first');
    await clock.turn();

    expect(remote.asked.at(-1)).toEqual({ tags: undefined, force: true });
    expect(cache.getMetrics()).toMatchObject({ loads: 1 });
    expect(cache.peek('key')).toBe('first');
  });

  it.each([
    ['forceRefresh', { forceRefresh: true }],
    ['a remote that is not read', { skip: { read: ['remote'] } }],
  ] as const)('are forced by %s', async (_, options) => {
    remote.put('key', entryOf('old', clock));

    expect(await cache.getOrSet('key', () => 'new', options)).toBe('new');
    expect(remote.asked).toEqual([{ tags: undefined, force: true }]);
    expect(remote.entries.read('key')?.value).toBe('new');
  });

  it('are not needed by who does not write the remote', async () => {
    await cache.getOrSet('key', () => 'loaded', { skip: { write: ['remote'] } });

    expect(remote.asked).toEqual([]);
  });

  it('that cannot be given do not keep anybody from loading', async () => {
    remote.failing = true;

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(cache.peek('key')).toBe('loaded');
    expect(remote.tokens).toEqual([]);
  });

  it('are waited for no more once the cache closes', async () => {
    remote.answers.push('wait');
    const answer = cache.getOrSet('key', () => 'loaded');
    await clock.turn();
    await cache.close();

    expect(await answer).toBe('loaded');
  });
});
