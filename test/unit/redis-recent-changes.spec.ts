import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecentChanges } from '../../lib/redis/recent-changes.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let recent: RecentChanges;

beforeEach(() => {
  clock = new VirtualClock();
  recent = new RecentChanges(clock);
});

function note(key: string, holdMs?: number): void {
  recent.note(key, { kind: 'key', key }, holdMs);
}

function keys(): string[] {
  return recent.list().map(({ change }) => (change.kind === 'key' ? change.key : change.kind));
}

describe(RecentChanges.name, () => {
  it('remembers for 30 s what nobody confirms', async () => {
    note('a');
    await clock.advance(30_000);
    note('b');
    expect(keys()).toEqual(['a', 'b']);

    await clock.advance(1);
    expect(keys()).toEqual(['b']);
  });

  it('remembers the last 30 s before the server was away, however long that is', async () => {
    note('old');
    await clock.advance(30_001);
    note('lost');
    recent.confirm(clock.now());
    await clock.advance(120_000);
    note('later');
    expect(keys()).toEqual(['lost', 'later']);

    recent.confirm(clock.now());
    await clock.advance(1);
    expect(keys()).toEqual(['later']);
  });

  it('makes a change anew that comes once more, and keeps the longer hold', async () => {
    note('a', 5_000);
    note('b');
    await clock.advance(1_000);
    note('a');

    expect(keys()).toEqual(['b', 'a']);
    expect(recent.list()[1]!.heldUntil - clock.now()).toBe(4_000);
  });

  it('holds nothing without a hold, wherever the clock has begun', () => {
    recent = new RecentChanges({ now: () => -600_000 });
    note('a');

    expect(recent.list()[0]!.heldUntil).toBe(-600_000);
  });

  it('clears everything where there were more than 10,000, as long as one of those would be remembered', async () => {
    for (let key = 0; key <= 10_000; key++) note(`key ${key}`);
    expect(keys()).toEqual(['clear']);

    await clock.advance(30_001);
    expect(keys()).toEqual([]);
  });
});
