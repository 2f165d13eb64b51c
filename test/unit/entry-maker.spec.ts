import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { planStore, type StoreOptions } from '../../lib/hierarchy/call-options.js';
import { EntryMaker } from '../../lib/hierarchy/entry-maker.js';
import { resolveHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { Isolation } from '../../lib/hierarchy/isolation.js';
import { FOREVER } from '../../lib/hierarchy/lifetime.js';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import { NAMESPACE_SEPARATOR } from '../../lib/memory/cache-key.js';
import type { Ticket } from '../../lib/memory/tickets.js';
import { entryOf } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

interface Setting {
  readonly isShared?: boolean;
  readonly isolation?: Isolation;
}

const { policy } = resolveHierarchyOptions({ ttl: 1_000 });

let clock: VirtualClock;
let maker: EntryMaker;
/** Why values were not stored. */
let reasons: string[];

function open({ isShared = false, isolation = 'reference' }: Setting = {}): void {
  const stamps = new StampTable({ clock, maxStamps: 10, oldestOrder: () => undefined });
  reasons = [];
  const unstored = (_: Ticket, reason: string): void => void reasons.push(reason);
  maker = new EntryMaker({ clock, stamps, isolation, isShared, needsOrder: false, unstored });
}

beforeEach(() => {
  clock = new VirtualClock();
  open();
});

afterEach(() => {
  jest.restoreAllMocks();
});

function ticketOf(key: string, tags?: string[]): Ticket {
  const openedAt = clock.now() - 50;
  return { key, kind: 'load', serial: 1, order: 7, openedAt, tags, withdrawn: false };
}

function make(
  value: unknown,
  options: StoreOptions = {},
  key = 'key',
  loadMs?: number,
): LevelEntry | undefined {
  const plan = planStore(options, policy);
  plan.loadMs = loadMs;
  return maker.fresh(value, ticketOf(key, plan.tags as string[] | undefined), plan);
}

describe(`${EntryMaker.name}: a new entry`, () => {
  it('is born with its ticket, and lives from now on', () => {
    expect(make('value', { ttl: 100, grace: 20 }, 'key', 5)).toEqual({
      value: 'value',
      bornAt: clock.now() - 50,
      freshUntil: clock.now() + 100,
      staleUntil: clock.now() + 120,
      loadMs: 5,
    });
  });

  it('carries the order where it has tags or is in a namespace, and only there', () => {
    expect(make(1)?.order).toBeUndefined();
    expect(make(1, { tags: 'tag' })).toMatchObject({ order: 7, tags: ['tag'] });
    expect(make(1, {}, `users${NAMESPACE_SEPARATOR}1`)).toMatchObject({
      order: 7,
      tags: undefined,
    });
  });

  it('lives for ever, or a little less where it has grace', () => {
    expect(make(1, { ttl: Infinity })).toMatchObject({
      freshUntil: Infinity,
      staleUntil: Infinity,
    });
    expect(make(1, { ttl: Infinity, grace: 10 })).toMatchObject({
      freshUntil: FOREVER,
      staleUntil: Infinity,
    });
  });

  it('is none, and is counted, where it is to be skipped or has expired', () => {
    const skipped = { ...planStore(undefined, policy), skipped: true };

    expect(maker.fresh(1, ticketOf('key'), skipped)).toBeUndefined();
    expect(make(1, { expiresAt: clock.wallNow() })).toBeUndefined();
    expect([maker.unstored, maker.uncloneable]).toEqual([2, 0]);
    expect(reasons).toEqual(['skipped', 'skipped']);
  });

  it('has a copy where that is asked for, and is none where there can be none', () => {
    open({ isolation: 'clone' });
    const value = { name: 'Rome' };

    expect(make(value)?.value).toEqual(value);
    expect(make(value)?.value).not.toBe(value);
    expect(make(() => {})).toBeUndefined();
    expect([maker.unstored, maker.uncloneable]).toEqual([0, 1]);
    expect(reasons).toEqual(['uncloneable']);
  });
});

describe(`${EntryMaker.name}: eager`, () => {
  const refreshAfter = (options: StoreOptions, loadMs?: number): number =>
    make(1, options, 'key', loadMs)!.refreshAt! - clock.now();

  it('is nothing where it is not asked for', () => {
    expect(make(1)?.refreshAt).toBeUndefined();
  });

  it('is the very share where no level is shared', () => {
    expect(refreshAfter({ eager: 0.8 }, 500)).toBe(800);
    expect(refreshAfter({ eager: 0.8, ttl: Infinity })).toBe(Infinity);
  });

  it.each([0, 1, 150, 5_000])(
    'is a moment between the share and the end where one is, for a load of %d ms',
    (loadMs) => {
      open({ isShared: true });
      const draws = Array.from({ length: 2_000 }, () => refreshAfter({ eager: 0.8 }, loadMs));

      expect(Math.min(...draws)).toBeGreaterThanOrEqual(800);
      expect(Math.max(...draws)).toBeLessThanOrEqual(1_000);
      expect(Math.max(...draws) - Math.min(...draws)).toBeGreaterThan(100);
    },
  );

  it('comes the earlier the longer the load', () => {
    open({ isShared: true });
    jest.spyOn(Math, 'random').mockReturnValue(0.5);

    const moments = [0, 50, 100, 200, 400].map((loadMs) => refreshAfter({ eager: 0.8 }, loadMs));

    expect(moments).toEqual(moments.toSorted((a, b) => b - a));
    expect([moments[0], moments[1]]).toEqual([moments[1], 1_000 - 50 * Math.LN2]);
    expect(moments.at(-1)).toBe(800);
  });

  it('keeps the bounds at the ends of chance', () => {
    open({ isShared: true });
    const random = jest.spyOn(Math, 'random');

    random.mockReturnValue(0);
    expect(refreshAfter({ eager: 0.8 }, 100)).toBe(1_000);
    random.mockReturnValue(1 - Number.EPSILON);
    expect(refreshAfter({ eager: 0.8 }, 100)).toBe(800);
  });

  it('comes never where one is shared and the entry lives for ever', () => {
    open({ isShared: true });

    expect(refreshAfter({ eager: 0.8, ttl: Infinity })).toBe(Infinity);
  });
});

describe(`${EntryMaker.name}: what was found in a lower level`, () => {
  it('keeps its times, and gets the order of its lookup where that matters', () => {
    const found = { ...entryOf('there', clock, { grace: 10, tags: ['tag'] }), loadMs: 5, order: 1 };

    expect(maker.promoted(found, ticketOf('key', ['tag']), undefined)).toEqual({
      ...found,
      refreshAt: undefined,
      order: 7,
    })!;
    expect(maker.promoted(entryOf(1, clock), ticketOf('key'), undefined)?.order).toBeUndefined()!;
  });

  it('is refreshed after the share of its lifetime since it was born', () => {
    const found = { ...entryOf(1, clock), bornAt: clock.now() - 1_000 };

    expect(maker.promoted(found, ticketOf('key'), 0.75)?.refreshAt).toBe(clock.now() + 500)!;
  });

  it('is refreshed after the share of what remains where its age is not known', () => {
    const found = { ...entryOf(1, clock), bornAt: -Infinity };

    expect(maker.promoted(found, ticketOf('key'), 0.75)?.refreshAt).toBe(clock.now() + 750)!;
  });
});
