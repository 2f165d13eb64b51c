import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BUCKETS, KeyLayout, namespacesOf } from '../../lib/redis/key-layout.js';

/** Keys as they come: with braces, separators, percent signs, and very long ones. */
const keys = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.constantFrom('a:b', 'a%3Ab', '{a}', '~a', 'v:a', 'a\u001fb', 'a%1Fb', 'x'.repeat(201)),
);

describe(KeyLayout, () => {
  const layout = new KeyLayout({ prefix: 'cache', name: 'places' });

  it('gives no two keys, tags or namespaces of any cache one name', () => {
    fc.assert(
      fc.property(keys, keys, fc.constantFrom('places', 'place', 'places2'), (one, other, name) => {
        const bucket = layout.buckets[0]!;
        const there = new KeyLayout({ prefix: 'cache', name }).buckets[0]!;
        const names = [
          bucket.value(one),
          bucket.lease(one),
          bucket.tag(one),
          bucket.namespace(one),
        ];
        const others = [
          there.value(other),
          there.lease(other),
          there.tag(other),
          there.namespace(other),
        ];
        const isSame = one === other && name === 'places';
        for (const [at, text] of names.entries())
          expect(others.indexOf(text)).toBe(isSame ? at : -1);
        expect([bucket.counters, bucket.generation]).not.toContain(others[0]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a name for one that is ill-formed, too', () => {
    expect(layout.buckets[0]!.value('a\ud800')).toBe('cache:{places/0}:v:a%EF%BF%BD');
  });

  it('has everything of a key in one slot of a Cluster, whatever braces it has', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const bucket = layout.bucketOf(key);
        const tagOf = (name: string): string => /\{([^}]+)\}/.exec(name)![1]!;
        const names = [bucket.value(key), bucket.lease(key), bucket.tag(key), bucket.counters];
        expect(new Set(names.map(tagOf)).size).toBe(1);
      }),
    );
  });

  it('spreads keys over the buckets', () => {
    const counts = new Map<unknown, number>();
    for (let id = 0; id < 16_000; id++) {
      const bucket = layout.bucketOf(`place:${id}`);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }

    expect(counts.size).toBe(BUCKETS);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });

  it('keeps short keys readable and long ones short', () => {
    const bucket = layout.bucketOf('place:1');

    expect(bucket.value('place:1')).toMatch(/^cache:\{places\/\d+\}:v:place:1$/);
    expect(bucket.value('x'.repeat(1_024)).length).toBeLessThan(80);
  });
});

describe(namespacesOf, () => {
  it('are those that a key is in', () => {
    expect(namespacesOf('key')).toEqual([]);
    expect(namespacesOf('a\u001fb\u001fkey')).toEqual(['a\u001f', 'a\u001fb\u001f']);
  });
});
