import { describe, expect, it } from '@jest/globals';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import { MemoryLevel } from '../../lib/levels/memory-level.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { describeLevel } from '../../lib/testing/describe-level.js';
import type { LevelSubject } from '../../lib/testing/level-bench.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { describeInProcessLevel } from './in-process-level-contract.js';

interface MemorySubject extends LevelSubject {
  readonly level: MemoryLevel;
  readonly cache: EnhancedAsyncTTLCache<unknown>;
  readonly clock: VirtualClock;
}

/** A memory level with the stamps that a hierarchy would have given it. */
function createMemoryLevel(copyTtlMs?: number, slide = false): MemorySubject {
  const clock = new VirtualClock();
  const stamps = new StampTable({ clock, maxStamps: 100, oldestOrder: () => undefined });
  const cache = new EnhancedAsyncTTLCache<unknown>(
    { clock, numShards: 2 },
    { subject: 'test', stamps },
  );
  const level = new MemoryLevel({
    name: 'L1',
    cache,
    copyTtlMs,
    keepsStale: true,
    slide,
    sweepEveryMs: 500,
    clock,
  });
  return {
    level,
    cache,
    clock,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    order: () => stamps.order,
    async invalidateTags(tags) {
      // A lifetime so long that no stamp is forgotten.
      stamps.noteLifetime(Infinity);
      for (const tag of tags) stamps.stamp(tag);
      level.invalidateTags();
    },
    async clearNamespace(prefix) {
      stamps.noteLifetime(Infinity);
      stamps.stamp(prefix);
      level.clear(prefix);
    },
  };
}

function entryUntil(freshUntil: number): LevelEntry {
  return { value: 1, bornAt: 0, freshUntil, staleUntil: freshUntil };
}

describeInProcessLevel(MemoryLevel.name, async () => createMemoryLevel());

const jest = { describe, it };
describeLevel(MemoryLevel.name, () => createMemoryLevel(), jest);
describeLevel(`${MemoryLevel.name} with a level below it`, () => createMemoryLevel(5_000), jest);
describeLevel(
  `${MemoryLevel.name} with copies that slide`,
  () => createMemoryLevel(5_000, true),
  jest,
);

describe(MemoryLevel.name, () => {
  it('keeps a copy for its own time at most where the original is below', () => {
    const { level, clock } = createMemoryLevel(300);
    level.writeNow('key', entryUntil(clock.now() + 10_000));

    clock.block(299);
    const before = level.peekNow('key')?.freshUntil;
    clock.block(1);

    expect(before).toBe(clock.now());
    expect(level.peekNow('key')).toBeUndefined();
  });

  it('never keeps a copy longer than the original', () => {
    const { level, clock } = createMemoryLevel(300);
    level.writeNow('key', entryUntil(clock.now() + 100));

    clock.block(100);

    expect(level.peekNow('key')).toBeUndefined();
  });

  it('keeps a copy that slides for its own time after each read, and not after a peek', () => {
    const { level, clock } = createMemoryLevel(300, true);
    const freshUntil = clock.now() + 10_000;
    level.writeNow('key', entryUntil(freshUntil));
    clock.block(299);
    level.peekNow('key');
    const peeked = level.peekNow('key')?.staleUntil;
    level.read(['key']);

    expect(peeked).toBe(clock.now() + 1);
    expect(level.peekNow('key')).toMatchObject({ freshUntil, staleUntil: clock.now() + 300 });
  });

  it('counts each key that is read, and no peek', () => {
    const { level, cache, clock } = createMemoryLevel();
    level.writeNow('key', entryUntil(clock.now() + 100));

    level.read(['key', 'absent']);
    level.readNow('key');
    level.peekNow('key');

    expect(cache.getMetrics()).toMatchObject({ gets: 3, hits: 2, misses: 1 });
  });

  it('removes what is expired when it is swept, and says how many', () => {
    const { level, cache, clock } = createMemoryLevel();
    level.writeNow('short', entryUntil(clock.now() + 10));
    level.writeNow('long', entryUntil(Infinity));
    clock.block(10);

    expect(level.sweep(1, true)).toEqual({ removed: 1, more: false });
    expect(cache.size).toBe(1);
  });

  it('does not tell when a plain entry was born, which it does not keep', () => {
    const { level } = createMemoryLevel();
    level.writeNow('plain', { ...entryUntil(Infinity), bornAt: 7 });
    level.writeNow('tagged', { ...entryUntil(Infinity), bornAt: 7, tags: ['a'], order: 0 });

    expect(level.readNow('plain')).toMatchObject({ bornAt: -Infinity, order: undefined });
    expect(level.readNow('tagged')).toMatchObject({ bornAt: 7, order: 0 });
  });

  it('says how often it wants to be swept, and has no timer of its own', () => {
    const { level, clock } = createMemoryLevel();

    expect(level.sweepEveryMs).toBe(500);
    expect(clock.pending).toBe(0);
  });

  it('is empty after it was closed', async () => {
    const { level, cache } = createMemoryLevel();
    level.writeNow('key', entryUntil(Infinity));

    await level.close();

    expect(cache.size).toBe(0);
  });
});
