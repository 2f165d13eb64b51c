import { describe, expect, it } from '@jest/globals';
import { AbsenceMemory, type AbsenceReason } from '../../lib/memory/absence-memory.js';
import { randomFrom } from '../support/random.js';

/** Different spreads over all 32 bits, with sign. */
function spreads(count: number, seed = 1): number[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => random.below(2 ** 32) | 0);
}

/** The part of the keys of which something is known. */
function known(memory: AbsenceMemory, keys: readonly number[]): number {
  return keys.filter((key) => memory.reasonOf(key) !== undefined).length / keys.length;
}

describe(AbsenceMemory.name, () => {
  it('tells the last reason of each key, whatever rows do not keep of its spread', () => {
    const memory = new AbsenceMemory();
    const reasons: AbsenceReason[] = ['evicted', 'expired', 'tag', 'fenced', 'skipped', 'held'];
    const keys = spreads(reasons.length);
    expect(known(memory, keys)).toBe(0);

    for (const key of keys) memory.note(key, 'evicted', 1);
    for (const [at, key] of keys.entries()) memory.note(key & ~3, reasons[at]!, 1);

    expect(keys.map((key) => memory.reasonOf(key | 3))).toEqual(reasons);
  });

  it('forgets a key, and another only where it takes one for the other', () => {
    const memory = new AbsenceMemory();
    const [key, other] = [0x40000000, 0x40000008];
    memory.note(key, 'evicted', 1);

    memory.forget(other);
    expect(memory.reasonOf(key)).toBe('evicted');
    memory.forget(key);
    expect(memory.reasonOf(key)).toBeUndefined();
  });

  it('forgets all when everything is cleared', () => {
    const memory = new AbsenceMemory();
    const keys = spreads(100);
    for (const key of keys) memory.note(key, 'evicted', 100);

    memory.clear();

    expect(known(memory, keys)).toBe(0);
  });

  it.each([1_000, 10_000, 16_384])(
    'knows most keys after as many others as there are entries: %d',
    (entries) => {
      const memory = new AbsenceMemory();
      const keys = spreads(200);
      for (const key of keys) memory.note(key, 'evicted', entries);
      for (const key of spreads(entries, 2)) memory.note(key, 'evicted', entries);

      expect(known(memory, keys)).toBeGreaterThan(0.5);
    },
  );

  it('takes hardly one in 8,000 keys for another when every place is taken', () => {
    const memory = new AbsenceMemory();
    for (const key of spreads(20_000)) memory.note(key, 'evicted', 1_000);

    expect(known(memory, spreads(400_000, 2))).toBeLessThan(1 / 6_000);
  });

  it('takes hardly one in 1,000 keys for another where it is as large as it gets', () => {
    const memory = new AbsenceMemory();
    for (const key of spreads(200_000)) memory.note(key, 'evicted', 2 ** 30);

    expect(known(memory, spreads(200_000, 2))).toBeLessThan(1 / 4_000);
  });

  it('grows with the entries, and begins anew then', () => {
    const memory = new AbsenceMemory();
    const [first, ...others] = spreads(10_000);
    memory.note(first!, 'evicted', 512);
    memory.note(first!, 'evicted', 513);
    expect(memory.reasonOf(first!)).toBe('evicted');

    for (const key of others) memory.note(key, 'evicted', 10_000);

    expect(memory.reasonOf(first!)).toBeUndefined();
    expect(known(memory, others)).toBeGreaterThan(0.7);
  });
});
