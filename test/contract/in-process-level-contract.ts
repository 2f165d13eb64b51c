import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InProcessLevel, LevelEntry } from '../../lib/levels/cache-level.js';
import { entryAt, TTL_MS, type LevelSubject } from '../../lib/testing/level-bench.js';

/** Describes what only a level in this process does: it answers within the call. */
export function describeInProcessLevel(
  name: string,
  createSubject: () => Promise<LevelSubject & { readonly level: InProcessLevel }>,
): void {
  describe(`${name} as a level in this process`, () => {
    let subject: LevelSubject;
    let level: InProcessLevel;

    const entry = (value: unknown, facts?: Partial<LevelEntry>): LevelEntry =>
      entryAt(subject.now(), value, facts);

    beforeEach(async () => {
      const created = await createSubject();
      subject = created;
      ({ level } = created);
    });

    afterEach(async () => {
      await level.close();
    });

    it('says that it is one', () => {
      expect(level.inProcess).toBe(true);
    });

    it('reads, writes and deletes at once', () => {
      level.writeNow('key', entry('value'));
      const read = [level.readNow('key')?.value, level.peekNow('key')?.value];
      const deleted = [level.deleteNow('key'), level.deleteNow('key')];

      expect(read).toEqual(['value', 'value']);
      expect(deleted).toEqual([true, false]);
      expect([level.readNow('key'), level.peekNow('key')]).toEqual([undefined, undefined]);
    });

    it('does not say that it deleted what had expired', async () => {
      level.writeNow('key', entry('value'));
      await subject.advance(TTL_MS);

      expect(level.deleteNow('key')).toBe(false);
    });

    it('finds the same with every kind of read', () => {
      level.writeNow('key', entry(1, { tags: ['a'], order: subject.order?.() }));

      expect(level.readNow('key')).toEqual(level.read(['key']).get('key'));
      expect(level.peekNow('key')).toEqual(level.readNow('key'));
    });

    it('hands out the very object that it was given', () => {
      const value = { name: 'Paris' };
      level.writeNow('key', entry(value));

      expect(level.readNow('key')?.value).toBe(value);
    });
  });
}
