import { ok } from 'node:assert';
import type { Maybe } from '../levels/cache-level.js';
import { NAMESPACE_SEPARATOR as SEPARATOR } from '../memory/cache-key.js';
import { expectAck, expectSame, TTL_MS, type LevelBench } from './level-bench.js';

type Cases = Readonly<Record<string, (bench: LevelBench) => Maybe<void>>>;

/** What is kept is found, as it was. */
const READS_AND_WRITES: Cases = {
  'has a name': ({ level }) => ok(/\w/.test(level.name), 'A level must have a name.'),

  'finds what was written, and has no entry for what was not': async (bench) => {
    const { level } = bench;
    const entries = { a: bench.entry('A'), b: bench.entry({ deep: [1, 2] }) };
    const written = await level.write(new Map(Object.entries(entries)));
    const found = await level.read(['a', 'absent', 'b']);

    expectSame(Object.fromEntries(written), { a: 'stored', b: 'stored' });
    expectSame([...found.keys()].toSorted(), ['a', 'b']);
    expectSame(found.get('b')?.value, { deep: [1, 2] });
  },

  'takes null, 0, an empty text and false for values': async (bench) => {
    for (const value of [null, 0, '', false]) {
      await bench.write('key', value);
      expectSame(await bench.valueOf('key'), value);
    }
  },

  'replaces a value': async (bench) => {
    await bench.write('key', 'old');
    await bench.write('key', 'new');

    expectSame(await bench.valueOf('key'), 'new');
  },

  'finds nothing among no keys, and writes nothing of no entries': async ({ level }) => {
    const found = await level.read([]);
    const written = await level.write(new Map());

    expectSame([found.size, written.size], [0, 0]);
  },

  'finds each key once, however often it is asked for': async (bench) => {
    await bench.write('key', 1);

    expectSame((await bench.level.read(['key', 'key'])).size, 1);
  },

  'tells keys apart, whatever is in them': async (bench) => {
    const keys = ['a', 'A', 'a ', `a${SEPARATOR}`, 'ä', '😀', '*', '__proto__', 'a'.repeat(1_024)];
    for (const key of keys) await bench.write(key, key);

    const found = await bench.level.read(keys);
    expectSame(
      keys.map((key) => found.get(key)?.value),
      keys,
    );
  },

  'takes and gives many entries in one call': async (bench) => {
    const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`);
    await bench.level.write(new Map(keys.map((key) => [key, bench.entry(key)])));

    await bench.expectLeft(keys, keys);
  },

  'keeps what it was told about an entry with tags': async (bench) => {
    const facts = { tags: ['a', 'b'], order: bench.order() };
    await bench.write('key', 1, facts);
    const found = await bench.find('key');

    expectSame(found?.tags, facts.tags);
    if (bench.level.inProcess) expectSame(found?.order, facts.order);
  },

  'answers at once where it says that it is in this process': async (bench) => {
    const { level } = bench;
    if (!level.inProcess) return;
    const answers = [
      level.write(new Map([['key', bench.entry(1)]])),
      level.readNow?.('key'),
      level.read(['key']),
      level.delete(['key']),
      level.invalidateTags(['tag']),
      level.clear(),
    ];

    ok(level.readNow !== undefined, 'A level in this process must have readNow.');
    expectSame(answers.filter(isPromise).length, 0, 'It must answer without promises.');
  },
};

/** What is over is gone, and not before. */
const LIFETIMES: Cases = {
  'has an entry until it is expired, and not at its very deadline': async (bench) => {
    const { freshUntil } = await bench.write('key', 1);
    await bench.advance(TTL_MS - 1);
    const value = await bench.valueOf('key');
    // With a real clock the deadline may be over by now.
    if (bench.now() < freshUntil) expectSame(value, 1);
    await bench.advance(1);

    expectSame(await bench.valueOf('key'), undefined);
  },

  'never ends an entry that was given an infinite lifetime': async (bench) => {
    await bench.write('key', 1, { freshUntil: Infinity, staleUntil: Infinity });
    await bench.advance(TTL_MS);

    expectSame(await bench.valueOf('key'), 1);
  },

  'gives the deadline out that it was given': async (bench) => {
    const { freshUntil } = await bench.write('key', 1);
    await bench.advance(100);
    const found = await bench.find('key');

    bench.expectTime(found?.freshUntil, freshUntil);
    expectSame(found?.staleUntil, found?.freshUntil, 'Both ends must be the same without grace.');
  },

  'has no more than a stale answer of an entry in its grace, and nothing after it': async (
    bench,
  ) => {
    const { freshUntil } = await bench.write('key', 1, { staleUntil: bench.now() + 2 * TTL_MS });
    await bench.advance(TTL_MS);
    const found = await bench.find('key');
    if (found !== undefined) bench.expectTime(found.freshUntil, freshUntil);
    await bench.advance(TTL_MS);

    expectSame(await bench.valueOf('key'), undefined);
  },
};

/** What was invalidated is gone, and nothing else is. */
const INVALIDATIONS: Cases = {
  'deletes keys, and leaves the others': async (bench) => {
    for (const key of ['a', 'b', 'c']) await bench.write(key, key);
    expectAck(await bench.level.delete(['a', 'b', 'absent']));

    await bench.expectLeft(['a', 'b', 'c'], ['c']);
  },

  'takes an entry again that was deleted': async (bench) => {
    await bench.write('key', 'old');
    await bench.level.delete(['key']);
    await bench.write('key', 'new');

    expectSame(await bench.valueOf('key'), 'new');
  },

  'has no more than a stale answer of what was expired by a call': async (bench) => {
    await bench.write('plain', 1);
    await bench.write('with grace', 1, { staleUntil: bench.now() + 2 * TTL_MS });
    expectAck(await bench.level.delete(['plain', 'with grace'], { expire: true }));
    const found = await bench.find('with grace');

    expectSame(await bench.valueOf('plain'), undefined);
    ok(found === undefined || bench.isPast(found.freshUntil), 'It must not be fresh any more.');
  },

  'clears everything, and takes entries again': async (bench) => {
    await bench.write('a', 1);
    expectAck(await bench.level.clear());
    await bench.write('b', 2);

    await bench.expectLeft(['a', 'b'], ['b']);
  },

  'has no entry any more one of whose tags was invalidated': async (bench) => {
    const order = bench.order();
    await bench.write('both', 1, { tags: ['a', 'b'], order });
    await bench.write('other', 2, { tags: ['c'], order });
    await bench.write('plain', 3);
    await bench.invalidateTags(['b', 'unknown']);

    await bench.expectValid(['both', 'other', 'plain'], ['other', 'plain'], order);
  },

  'has entries of the tag that were loaded after it was invalidated': async (bench) => {
    await bench.invalidateTags(['a']);
    await bench.write('key', 1, { tags: ['a'], order: bench.order() });

    expectSame(await bench.valueOf('key'), 1);
  },

  'clears a namespace with those in it, and leaves its neighbours': async (bench) => {
    const order = bench.order();
    const inside = [`users${SEPARATOR}1`, `users${SEPARATOR}admins${SEPARATOR}2`];
    const neighbour = `users2${SEPARATOR}3`;
    for (const key of [...inside, neighbour]) await bench.write(key, 1, { order });
    await bench.write('users', 1);
    await bench.clearNamespace(`users${SEPARATOR}`);

    await bench.expectValid([...inside, neighbour, 'users'], [neighbour, 'users'], order);
  },
};

/** Where a level has scopes, their entries are their own. */
const SCOPES: Cases = {
  'keeps what is in a scope apart from itself and from other scopes': async (bench) => {
    const { level } = bench;
    if (level.scope === undefined) return;
    const [one, other] = [level.scope('one'), level.scope('other')];
    await bench.write('key', 'its own');
    await one.write(new Map([['key', bench.entry('in one')]]));

    expectSame(await bench.valueOf('key'), 'its own');
    expectSame(await bench.valueIn(level.scope('one'), 'key'), 'in one');
    expectSame(await bench.valueIn(other, 'key'), undefined);
  },

  'clears, deletes and invalidates in a scope what is in that scope': async (bench) => {
    const { level } = bench;
    if (level.scope === undefined) return;
    const [one, other] = [level.scope('one'), level.scope('other')];
    for (const each of [level, one, other])
      await each.write(new Map([['key', bench.entry(1, { tags: ['a'], order: bench.order() })]]));
    await one.delete(['key']);
    await one.invalidateTags(['a']);
    await one.clear();

    expectSame(await bench.valueIn(one, 'key'), undefined);
    expectSame(await bench.valueOf('key'), 1);
    expectSame(await bench.valueIn(other, 'key'), 1);
    await level.clear();
    expectSame(await bench.valueIn(other, 'key'), 1);
  },
};

/** What every level does, in this process or far away, by name. */
export const LEVEL_CASES: Cases = {
  ...READS_AND_WRITES,
  ...LIFETIMES,
  ...INVALIDATIONS,
  ...SCOPES,
};

function isPromise(answer: unknown): boolean {
  return typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function';
}
