import { beforeEach, describe, expect, it } from '@jest/globals';
import { HoldTable } from '../../lib/hierarchy/hold-table.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let oldest: number | undefined;
let holds: HoldTable;

function open(maxHolds = 100): void {
  holds = new HoldTable({ clock, maxHolds, oldestOpenedAt: () => oldest });
}

beforeEach(() => {
  clock = new VirtualClock();
  oldest = undefined;
  open();
});

/** For how long from now a key and its tags are held. */
function heldFor(key: string, ...tags: string[]): number {
  return holds.heldUntil({ key, tags }) - clock.now();
}

describe(HoldTable.name, () => {
  it('holds a key, and no other', () => {
    holds.holdKey('key', 1_000);

    expect([heldFor('key'), heldFor('other')]).toEqual([1_000, -Infinity]);
  });

  it('holds whatever carries a tag, and not the key of that name', () => {
    holds.holdTag('tag', 1_000);

    expect([
      heldFor('key', 'x', 'tag'),
      heldFor('key', 'x'),
      heldFor('tag'),
      heldFor('#tag'),
    ]).toEqual([1_000, -Infinity, -Infinity, -Infinity]);
  });

  it('takes the longest of the key and its tags', () => {
    holds.holdKey('key', 10);
    holds.holdTag('short', 5);
    holds.holdTag('long', 20);

    expect([heldFor('key', 'short'), heldFor('key', 'short', 'long')]).toEqual([10, 20]);
  });

  it('lengthens a hold and never shortens one', () => {
    holds.holdKey('key', 1_000);
    holds.holdKey('key', 10);
    expect(heldFor('key')).toBe(1_000);

    holds.holdKey('key', 2_000);
    expect([heldFor('key'), holds.size]).toEqual([2_000, 1]);
  });

  it('may hold for ever', () => {
    holds.holdKey('key', Infinity);

    expect(heldFor('key')).toBe(Infinity);
  });

  it('forgets a hold that has passed when another one begins', async () => {
    holds.holdKey('a', 10);
    await clock.advance(10);
    holds.holdKey('b', 10);

    expect([holds.size, heldFor('a')]).toEqual([1, -Infinity]);
  });

  it('keeps one as long as something is under way that began before it passed', async () => {
    oldest = clock.now() + 9;
    holds.holdKey('a', 10);
    const until = clock.now() + 10;
    await clock.advance(1_000);
    holds.holdKey('b', 10);
    expect(holds.heldUntil({ key: 'a', tags: undefined })).toBe(until);

    oldest = until;
    holds.holdKey('b', 10);
    expect(holds.size).toBe(1);
  });

  it('holds everything until the first would have passed where there are too many', async () => {
    open(2);
    holds.holdKey('a', 30);
    holds.holdKey('b', 10);
    holds.holdTag('c', 20);

    expect(holds.size).toBe(2);
    expect([heldFor('a'), heldFor('key', 'c'), heldFor('any')]).toEqual([30, 20, 10]);
    await clock.advance(10);
    expect(heldFor('any')).toBe(0);
  });

  it('holds everything still when all single holds are forgotten', async () => {
    open(1);
    holds.holdKey('a', 10);
    holds.holdKey('b', 5);

    expect([holds.size, heldFor('any'), heldFor('a')]).toEqual([1, 5, 10]);
  });
});
