import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheLevel, LevelEntry } from '../../lib/levels/cache-level.js';

/** A level under test, with what moves its time and invalidates its entries. */
export interface LevelSubject {
  readonly level: CacheLevel;
  /** The clock of the entries' times. */
  now(): number;
  /** Lets time pass for the level. */
  advance(ms: number): Promise<void>;
  /** The order that an entry gets whose load begins now. */
  order(): number;
  /** Invalidates tags as the hierarchy does for this level. */
  invalidateTags(tags: readonly string[]): Promise<void>;
  /** Clears a namespace, given as the prefix of its keys, as the hierarchy does for this level. */
  clearNamespace(prefix: string): Promise<void>;
}

export const TTL_MS = 1_000;

let subject: LevelSubject;

/** An entry that is born now and lives for {@link TTL_MS}. */
export function entryAt(now: number, value: unknown, facts: Partial<LevelEntry> = {}): LevelEntry {
  return { value, bornAt: now, freshUntil: now + TTL_MS, staleUntil: now + TTL_MS, ...facts };
}

function entry(value: unknown, facts?: Partial<LevelEntry>): LevelEntry {
  return entryAt(subject.now(), value, facts);
}

async function write(key: string, value: unknown, facts?: Partial<LevelEntry>): Promise<void> {
  await subject.level.write(new Map([[key, entry(value, facts)]]));
}

async function valueOf(key: string): Promise<unknown> {
  return (await subject.level.read([key])).get(key)?.value;
}

/**
 * Describes what every level does, in this process or far away. A level of another kind runs the
 * same file: `describeLevel('RedisLevel', createSubject)`.
 */
export function describeLevel(name: string, createSubject: () => Promise<LevelSubject>): void {
  describe(`${name} as a level`, () => {
    beforeEach(async () => {
      subject = await createSubject();
    });

    afterEach(async () => {
      await subject.level.close();
    });

    describeReadsAndWrites();
    describeLifetimes();
    describeInvalidations();
  });
}

function describeReadsAndWrites(): void {
  it('has a name', () => {
    expect(subject.level.name).toMatch(/\w/);
  });

  it('finds what was written, and has no entry for what was not', async () => {
    const written = await subject.level.write(
      new Map([
        ['a', entry('A')],
        ['b', entry({ deep: [1, 2] })],
      ]),
    );
    const found = await subject.level.read(['a', 'absent', 'b']);

    expect([...written]).toEqual([
      ['a', 'stored'],
      ['b', 'stored'],
    ]);
    expect([...found.keys()].toSorted()).toEqual(['a', 'b']);
    expect(found.get('b')?.value).toEqual({ deep: [1, 2] });
  });

  it.each([null, 0, '', false])('takes %p for a value', async (value) => {
    await write('key', value);

    expect(await valueOf('key')).toBe(value);
  });

  it('replaces a value', async () => {
    await write('key', 'old');
    await write('key', 'new');

    expect(await valueOf('key')).toBe('new');
  });

  it('finds nothing among no keys, and writes nothing of no entries', async () => {
    const found = await subject.level.read([]);
    const written = await subject.level.write(new Map());

    expect([found.size, written.size]).toEqual([0, 0]);
  });

  it('finds each key once, however often it is asked for', async () => {
    await write('key', 1);

    expect((await subject.level.read(['key', 'key'])).size).toBe(1);
  });

  it('keeps what it was told about an entry with tags', async () => {
    const facts = { tags: ['a', 'b'], order: subject.order() };
    await write('key', 1, facts);

    expect((await subject.level.read(['key'])).get('key')).toMatchObject(facts);
  });
}

function describeLifetimes(): void {
  it('has an entry until it is expired, and not at its very deadline', async () => {
    await write('key', 1);
    await subject.advance(TTL_MS - 1);
    const before = await valueOf('key');
    await subject.advance(1);

    expect([before, await valueOf('key')]).toEqual([1, undefined]);
  });

  it('never ends an entry that was given an infinite lifetime', async () => {
    await write('key', 1, { freshUntil: Infinity, staleUntil: Infinity });
    await subject.advance(TTL_MS);

    expect(await valueOf('key')).toBe(1);
  });

  it('gives the deadline out that it was given', async () => {
    await write('key', 1);
    const freshUntil = subject.now() + TTL_MS;
    await subject.advance(100);

    expect((await subject.level.read(['key'])).get('key')).toMatchObject({
      freshUntil,
      staleUntil: freshUntil,
    });
  });
}

function describeInvalidations(): void {
  it('deletes keys, and leaves the others', async () => {
    for (const key of ['a', 'b', 'c']) await write(key, key);

    const ack = await subject.level.delete(['a', 'b', 'absent']);

    expect(['applied', 'queued']).toContain(ack);
    expect([...(await subject.level.read(['a', 'b', 'c'])).keys()]).toEqual(['c']);
  });

  it('clears everything, and takes entries again', async () => {
    await write('a', 1);
    const ack = await subject.level.clear();
    await write('b', 2);

    expect(['applied', 'queued']).toContain(ack);
    expect([...(await subject.level.read(['a', 'b'])).keys()]).toEqual(['b']);
  });

  it('has no entry any more one of whose tags was invalidated', async () => {
    const order = subject.order();
    await write('both', 1, { tags: ['a', 'b'], order });
    await write('other', 2, { tags: ['c'], order });
    await write('plain', 3);

    await subject.invalidateTags(['b', 'unknown']);

    expect([...(await subject.level.read(['both', 'other', 'plain'])).keys()]).toEqual([
      'other',
      'plain',
    ]);
  });

  it('has entries of the tag that were loaded after it was invalidated', async () => {
    await subject.invalidateTags(['a']);
    await write('key', 1, { tags: ['a'], order: subject.order() });

    expect(await valueOf('key')).toBe(1);
  });

  it('clears a namespace with those in it, and leaves its neighbours', async () => {
    const order = subject.order();
    for (const key of ['users\u001f1', 'users\u001fadmins\u001f2', 'users2\u001f3']) {
      await write(key, 1, { order });
    }
    await write('users', 1);

    await subject.clearNamespace('users\u001f');

    const keys = ['users\u001f1', 'users\u001fadmins\u001f2', 'users2\u001f3', 'users'];
    expect([...(await subject.level.read(keys)).keys()]).toEqual(['users2\u001f3', 'users']);
  });
}
