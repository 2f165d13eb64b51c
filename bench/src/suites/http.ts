import { median } from '../harness/statistics.js';
import type { Case, Subject, Suite } from '../harness/suite.js';
import {
  ServerProcess,
  type Burst,
  type CacheName,
  type Framework,
  type Route,
} from '../http/server-process.js';

const OURS = '@CacheResponse';
const STOCK = 'CacheInterceptor of @nestjs/cache-manager';
const UNCACHED = 'no cache';

/** Times have stopped falling after so many. */
const WARM_UP_REQUESTS = 8_000;
/** Short ones, and many: a machine that is shared becomes faster and slower within a second. */
const REQUESTS = 500;
const BURSTS = 40;
/** Those to a handler that takes a millisecond. */
const SLOW_REQUESTS = 1_000;
const SLOW_BURSTS = 3;

/** What a route over real connections costs with a cache on it and without. */
export const http: Suite = {
  name: 'http',
  cases: [ownCost('Express'), ownCost('Fastify'), slowHandler('Express'), slowHandler('Fastify')],
};

/** A hit in place of a handler that costs nothing: what is more is the cache's own cost. */
function ownCost(framework: Framework): Case {
  const subject =
    (cache: CacheName): Subject =>
    async () => {
      await using server = await ServerProcess.start(framework, cache);
      await server.ask('uncached', WARM_UP_REQUESTS);
      await server.ask('cached', WARM_UP_REQUESTS);
      const pairs: (readonly [without: Burst, with_: Burst])[] = [];
      while (pairs.length < BURSTS) pairs.push(await pair(server, pairs.length % 2 === 0));
      const each = pairs.map(([plain, cached]) => ({
        cpu: cached.cpuMicrosecondsEach - plain.cpuMicrosecondsEach,
        time: 1e6 / cached.perSecond - 1e6 / plain.perSecond,
        answered: plain.answered + cached.answered,
      }));
      return {
        value: median(each.map(({ cpu }) => cpu)),
        beside: { 'time between answers': median(each.map(({ time }) => time)) },
        checksum: each.reduce((sum, { answered }) => sum + answered, 0),
      };
    };
  return {
    name: `own cost of a hit on ${framework}: processor time of the server`,
    unit: 'us/request',
    beside: { 'time between answers': 'us/request' },
    against: [STOCK],
    subjects: { [OURS]: subject('@CacheResponse'), [STOCK]: subject('CacheInterceptor') },
  };
}

/** Both routes, one after the other; every second pair the other way round. */
async function pair(server: ServerProcess, isForward: boolean): Promise<readonly [Burst, Burst]> {
  const ask = (route: Route): Promise<Burst> => server.ask(route, REQUESTS);
  if (isForward) return [await ask('uncached'), await ask('cached')];
  const cached = await ask('cached');
  return [await ask('uncached'), cached];
}

/** A handler that takes a millisecond of the processor, with nothing in front of it and with a cache. */
function slowHandler(framework: Framework): Case {
  const subject =
    (cache: CacheName): Subject =>
    async () => {
      await using server = await ServerProcess.start(framework, cache);
      // Without a cache the handler is all there is to it, and compiled at once.
      await server.ask('cached-work', cache === 'none' ? SLOW_REQUESTS : WARM_UP_REQUESTS);
      const bursts: Burst[] = [];
      while (bursts.length < SLOW_BURSTS)
        bursts.push(await server.ask('cached-work', SLOW_REQUESTS));
      return {
        value: median(bursts.map(({ perSecond }) => perSecond)),
        beside: {
          'processor time of the server': median(bursts.map((burst) => burst.cpuMicrosecondsEach)),
        },
        checksum: bursts.reduce((sum, { answered }) => sum + answered, 0),
      };
    };
  return {
    name: `GET of what takes 1 ms to make, on ${framework}`,
    unit: 'requests/s',
    beside: { 'processor time of the server': 'us/request' },
    against: [UNCACHED],
    subjects: {
      [UNCACHED]: subject('none'),
      [OURS]: subject('@CacheResponse'),
      [STOCK]: subject('CacheInterceptor'),
    },
  };
}
