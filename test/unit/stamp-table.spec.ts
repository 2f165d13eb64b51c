import { describe, expect, it } from '@jest/globals';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import { NAMESPACE_SEPARATOR } from '../../lib/memory/cache-key.js';
import { VirtualClock } from '../support/virtual-clock.js';

const users = `users${NAMESPACE_SEPARATOR}`;
const admins = `${users}admins${NAMESPACE_SEPARATOR}`;

function setUp(maxStamps = 100): {
  stamps: StampTable;
  clock: VirtualClock;
  open: { order: number | undefined };
} {
  const clock = new VirtualClock();
  const open: { order: number | undefined } = { order: undefined };
  const stamps = new StampTable({ clock, maxStamps, oldestOrder: () => open.order });
  return { stamps, clock, open };
}

describe(StampTable.name, () => {
  it('ends what carries a tag and began before its stamp', () => {
    const { stamps } = setUp();
    const before = { order: stamps.order, tags: ['a', 'b'] };

    stamps.stamp('b');

    const after = { order: stamps.order, tags: ['a', 'b'] };
    expect(stamps.admits('key', before)).toBe(false);
    expect(stamps.admits('key', after)).toBe(true);
    expect(stamps.admits('key', { order: before.order, tags: ['a'] })).toBe(true);
  });

  it('ends a namespace with those inside it, and not those around it', () => {
    const { stamps } = setUp();
    const { order } = stamps;

    stamps.stamp(admins);

    expect(stamps.admits(`${admins}1`, { order })).toBe(false);
    expect(stamps.admits(`${admins}deeper${NAMESPACE_SEPARATOR}1`, { order })).toBe(false);
    expect(stamps.admits(`${users}1`, { order })).toBe(true);
    expect(stamps.admits('1', { order })).toBe(true);
  });

  it('forgets a stamp once nothing that began before it can be left', async () => {
    const { stamps, clock, open } = setUp();
    stamps.noteLifetime(1_000);
    stamps.stamp('old');
    await clock.advance(1_001);

    open.order = 0;
    stamps.stamp('kept by the operation under way');
    expect(stamps.size).toBe(2);

    open.order = undefined;
    stamps.stamp('new');
    expect(stamps.size).toBe(2);
  });

  it('never forgets within an infinite lifetime, save beyond its bound', async () => {
    const { stamps, clock } = setUp(2);
    stamps.noteLifetime(Infinity);
    const { order } = stamps;
    stamps.stamp('a');
    stamps.stamp('b');
    await clock.advance(1e9);
    expect(stamps.admits('key', { order, tags: ['other'] })).toBe(true);

    stamps.stamp('c');

    expect(stamps.size).toBe(2);
    expect(stamps.admits('key', { order, tags: ['other'] })).toBe(false);
    expect(stamps.admits(`${users}1`, { order })).toBe(false);
    expect(stamps.admits('key', { order })).toBe(true);
    expect(stamps.admits('key', { order: stamps.order, tags: ['a'] })).toBe(true);
  });

  it('keeps one stamp for a tag that is invalidated again and again', () => {
    const { stamps } = setUp();

    for (let round = 0; round < 1_000; round++) stamps.stamp('a');

    expect(stamps.size).toBe(1);
  });
});
