import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { VirtualClock } from '../support/virtual-clock.js';

interface Place {
  name: string;
  near: string[];
}

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock, isolation: 'clone', ttl: 100, grace: 1_000 });
});

afterEach(async () => {
  await cache.close();
});

const paris = (): Place => ({ name: 'Paris', near: ['Lyon'] });

/** Every way to get the value that is kept. */
async function allAnswers(): Promise<(Place | undefined)[]> {
  return [
    await cache.get<Place>('key'),
    cache.getIfPresent<Place>('key'),
    cache.peek<Place>('key'),
    await cache.getOrSet('key', paris),
    (await cache.getMany<Place>(['key'])).get('key'),
    (await cache.getOrSetMany('key'.split(','), () => new Map<string, Place>())).get('key'),
    (await cache.inspect('key'))[0]!.value as Place,
  ];
}

describe(`${CacheHierarchy.name}: isolation by copies`, () => {
  it.each([undefined, 'tag'])('hands out a copy each time, with tags %p', async (tags) => {
    await cache.set('key', paris(), tags === undefined ? {} : { tags });
    for (const answer of await allAnswers()) answer!.near.push('spoilt');

    for (const answer of await allAnswers()) expect(answer).toEqual(paris());
  });

  it('keeps a copy of what it was given', async () => {
    const given = paris();
    await cache.set('key', given);
    given.near.push('spoilt');

    expect(cache.peek('key')).toEqual(paris());
  });

  it('gives every caller of a load a copy, and keeps one more', async () => {
    const loaded = defer<Place>();
    const place = paris();
    const callers = [1, 2].map(() => cache.getOrSet('key', () => loaded.promise));
    loaded.resolve(place);
    const [one, other] = await Promise.all(callers);
    one!.near.push('spoilt');
    place.near.push('spoilt');

    expect([other, cache.peek('key')]).toEqual([paris(), paris()]);
  });

  it('gives copies of stale values, to callers and to loaders', async () => {
    await cache.set('key', paris());
    clock.block(100);
    const spoil = ({ stale }: { stale: unknown }): never => {
      (stale as Place).near.push('spoilt');
      throw new Error('the database is away');
    };
    const one = await cache.getOrSet<Place>('key', spoil);
    one.near.push('spoilt');

    expect(await cache.getOrSet<Place>('key', spoil)).toEqual(paris());
  });

  it('keeps what there was when a loader has changed its copy of it and says notModified()', async () => {
    await cache.set('key', paris());
    clock.block(100);
    const renewed = await cache.getOrSet<Place>('key', ({ stale, notModified }) => {
      (stale as Place).near.push('spoilt');
      return notModified();
    });

    expect([renewed, cache.peek('key')]).toEqual([paris(), paris()]);
  });

  it('gives update a copy, and keeps one of what it returns', async () => {
    await cache.set('key', paris());
    const returned = await cache.update<Place>('key', (current) => {
      current!.near.push('Lille');
      return current;
    });
    returned!.near.push('spoilt');

    expect(cache.peek<Place>('key')?.near).toEqual(['Lyon', 'Lille']);
  });

  it('returns what can not be copied, does not store it, and counts it', async () => {
    const odd = { run: () => 1 };

    expect(await cache.getOrSet('key', () => odd)).toBe(odd);
    await cache.set('other', paris());
    await cache.set('other', odd);
    expect([cache.has('key'), cache.has('other')]).toEqual([false, false]);
    expect(cache.getMetrics()).toMatchObject({ uncloneable: 2, sets: 1 });
  });

  it('takes what throws while it is copied for one of those', async () => {
    const odd = {
      get name(): string {
        throw new Error('not now');
      },
    };

    expect(await cache.getOrSet('key', () => odd)).toBe(odd);
    expect(cache.getMetrics()).toMatchObject({ uncloneable: 1, loadFailures: 0 });
  });

  it('leaves primitives as they are', async () => {
    await cache.set('null', null);
    await cache.set('text', 'text');
    await cache.set('symbol', Symbol('no'));

    expect([cache.peek('null'), cache.peek('text'), cache.peek('symbol')]).toEqual([
      null,
      'text',
      undefined,
    ]);
  });
});

describe(`${CacheHierarchy.name}: isolation`, () => {
  it('hands out the very object by default', async () => {
    const shared = new CacheHierarchy({ clock });
    const place = paris();
    await shared.set('key', place);

    expect(await shared.get('key')).toBe(place);
    await shared.close();
  });

  it('is one of two words', () => {
    expect(() => new CacheHierarchy({ isolation: 'copy' as 'clone' })).toThrow(
      `isolation: must be 'reference' or 'clone', got "copy"`,
    );
  });
});
