import { beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheLevel } from '../../lib/levels/cache-level.js';
import { FaultyLevel, HeldLevel } from '../support/held-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
/** What the level answers to calls of this name, in place of doing what it is asked. */
let answers: Map<string, unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  answers = new Map();
});

/** The answer to an operation such as `read a,b`, or what `apply` gives. */
function answer<A>(operation: string, apply: () => A): A {
  const [name, key] = operation.split(' ');
  if (!answers.has(name!)) return apply();
  const given = answers.get(name!);
  return (name === 'read' ? new Map([[key, given]]) : given) as A;
}

const outside = (): CacheLevel =>
  new HeldLevel('outside', clock, (operation, apply) => Promise.resolve(answer(operation, apply)));
const inside = (): CacheLevel => new FaultyLevel(clock, () => false, answer);

const KINDS: [string, string, () => Partial<Record<'l2' | 'remote', CacheLevel>>][] = [
  ['outside this process', 'read', () => ({ remote: outside() })],
  ['in this process', 'readNow', () => ({ l2: inside() })],
];

const TIMES = { freshUntil: 5_000, staleUntil: 9_000 };
const NO_ENTRIES: [string, unknown][] = [
  ['no object', 7],
  ['null', null],
  ['an entry without a value', TIMES],
  ['an entry without lifetimes', { value: 'bad' }],
  ['an entry without its end', { value: 'bad', freshUntil: 5_000 }],
  ['lifetimes that are null', { value: 'bad', freshUntil: null, staleUntil: null }],
  ['lifetimes that are text', { value: 'bad', freshUntil: '5', staleUntil: '9' }],
  ['lifetimes that are bigints', { value: 'bad', freshUntil: 5_000n, staleUntil: 9_000n }],
  ['lifetimes that are no numbers', { value: 'bad', freshUntil: NaN, staleUntil: NaN }],
  ['an end before the end of freshness', { value: 'bad', freshUntil: 9_000, staleUntil: 5_000 }],
  ['tags that are no list', { value: 'bad', ...TIMES, tags: 'red' }],
  ['tags that are no text', { value: 'bad', ...TIMES, tags: [Symbol('red')] }],
  ['a time of loading that is none', { value: 'bad', ...TIMES, loadMs: NaN }],
];

describe.each(KINDS)('a level %s', (_, read, levels) => {
  it.each(NO_ENTRIES)('that answers a read with %s has a miss', async (_name, entry) => {
    const cache = new CacheHierarchy({ clock, report: () => {}, ...levels() });
    await cache.invalidateTags('red', { hold: 100 });
    answers.set(read, entry);

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded', { eager: 0.5 })).toBe('loaded');
    expect(cache.peek('key')).toBe('loaded');
    await cache.close();
  });

  it('need not tell when an entry was born', async () => {
    const cache = new CacheHierarchy({ clock, ...levels() });
    answers.set(read, { value: 'value', ...TIMES });

    expect(await cache.get('key')).toBe('value');
    expect((await cache.inspect('key')).map(({ ageMs }) => ageMs)).toContain(undefined);
    await cache.close();
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['some text', 'done'],
    ['an object', {}],
  ])('that answers a delete with %s has not carried it out', async (_name, ack) => {
    const cache = new CacheHierarchy({ clock, report: () => {}, ...levels() });
    await cache.set('key', 'old');
    answers.set('delete', ack);

    await cache.delete('key');

    expect(await cache.get('key')).toBeUndefined();
    answers.clear();
    await clock.advance(1_000);
    expect(await cache.get('key')).toBeUndefined();
    await cache.close();
  });

  it('that answers a clear with nothing has not carried it out', async () => {
    const cache = new CacheHierarchy({ clock, report: () => {}, ...levels() });
    await cache.set('key', 'old');
    answers.set('clear', undefined);

    await cache.clear();

    expect(await cache.get('key')).toBeUndefined();
    answers.clear();
    await clock.advance(1_000);
    expect(await cache.get('key')).toBeUndefined();
    await cache.close();
  });
});

it('that does not confirm the invalidation of a tag is asked again', async () => {
  const cache = new CacheHierarchy({ clock, report: () => {}, l2: false, remote: outside() });
  await cache.set('key', 'old', { tags: 'red' });
  answers.set('invalidateTags', 'done');

  await cache.invalidateTags('red');

  expect(await cache.get('key')).toBeUndefined();
  expect(cache.getMetrics().lower.remote).toMatchObject({ unconfirmed: 1 });
  answers.clear();
  await clock.advance(1_000);
  expect(cache.getMetrics().lower.remote).toMatchObject({ unconfirmed: 0 });
  expect(await cache.get('key')).toBeUndefined();
  await cache.close();
});
