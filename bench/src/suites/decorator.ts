import {
  undecorated,
  withCacheable,
  withNestjsCacheable,
  withTypeCacheable,
  type OpenPlaces,
  type Places,
  type PlaceQuery,
} from '../decorated.js';
import type { Case, Subject, Suite } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { readThroughCacheHierarchy, type ReadThrough } from '../subjects.js';
import { heldKeys, zipfRequests } from '../workload.js';

const ENTRIES = 10_000;
const REQUESTS = 20_000;
/** What a caller puts before an identifier to have a key. */
const PREFIX = 'place:';
/** What one writes in place of a decorator: the key is made for the call, as the decorator has to make it. */
const BY_HAND = 'CacheHierarchy.getOrSet with keys built per call';
/** The same for who has the key already. */
const REPEATED = 'CacheHierarchy.getOrSet with repeated keys';

/** A call whose result is there. */
type Call<S, A> = (subject: S, argument: A) => Promise<number>;

/** What a call of a decorated method costs on a hit, beside the read that it comes to. */
export const decorator: Suite = {
  name: 'decorator',
  cases: [
    decoratedHit('one string as the argument', (id) => id, {
      decorated: (places, id) => places.find(id),
      byHand: (read, id) => read(PREFIX + id),
    }),
    decoratedHit('one object of three properties as the argument', queryOf, {
      decorated: (places, query) => places.search(query),
      byHand: (read, { id }) => read(PREFIX + id),
    }),
    decoratedHit('a function that makes the key', (id) => id, {
      decorated: (places, id) => places.findByKey(id),
      byHand: (read, id) => read(PREFIX + id),
    }),
  ],
};

function queryOf(id: string): PlaceQuery {
  return { id, language: 'en', page: 1 };
}

function decoratedHit<A>(
  name: string,
  argumentOf: (id: string) => A,
  {
    decorated,
    byHand,
  }: { readonly decorated: Call<Places, A>; readonly byHand: Call<ReadThrough, A> },
): Case {
  const method = (open: OpenPlaces): Subject => hits(open, argumentOf, decorated);
  return {
    name: `hit of a decorated method: ${name}, ${ENTRIES / 1_000}k entries`,
    unit: 'ns/op',
    against: [BY_HAND, REPEATED],
    subjects: {
      [BY_HAND]: hits(openByHand, argumentOf, byHand),
      [REPEATED]: hits(
        openByHand,
        (id) => id,
        (read, id) => read(id),
      ),
      '@Cacheable': method(withCacheable),
      '@type-cacheable/core over lru-cache': method(withTypeCacheable),
      'nestjs-cacheable over cache-manager': method(withNestjsCacheable),
      'the method undecorated': method(undecorated),
    },
  };
}

function openByHand(maxEntries: number): Promise<ReadThrough> {
  return readThroughCacheHierarchy(maxEntries, async (key) => key.replace(PREFIX, '').length);
}

/** Hits of the calls with held arguments, awaited one by one. */
function hits<S, A>(
  open: (maxEntries: number) => Promise<S>,
  argumentOf: (id: string) => A,
  call: Call<S, A>,
): Subject {
  return async ({ round }) => {
    const subject = await open(ENTRIES * 2);
    const ids = heldKeys(ENTRIES);
    const held = ids.map(argumentOf);
    for (const argument of held) await call(subject, argument);
    const requests = zipfRequests({ keys: ENTRIES, requests: REQUESTS, seed: round });
    const requested = Array.from(requests, (id) => held[id]!);
    return timePerOperation(REQUESTS, async () => {
      let sum = 0;
      for (const argument of requested) sum += await call(subject, argument);
      return sum;
    });
  };
}
