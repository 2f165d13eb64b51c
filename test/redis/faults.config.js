import base from '../../jest.config.js';

/**
 * The tests that stop, kill and cut off servers and processes: minutes long, so a command of their own.
 * Each is made with both clients, where a client can make a difference; what is said to be never stale is
 * first shown to be stale with a plain GET, SET and DEL, or without what protects it. The storm of outages and
 * of Clusters is shown to find that in `storm`. A rejection that nobody handles fails any of them.
 *
 * `npm run test:faults:full` takes longer, asks for more, needs a machine that does nothing else, and prints
 * what it has measured. Where it differs that is said last.
 *
 * | fault or load                                   | where, and what passes; at full size                       |
 * | ----------------------------------------------- | ---------------------------------------------------------- |
 * | 4 processes read and invalidate the same keys   | fleet: 3 s, 0 stale, some loads fenced; 60 s               |
 * | copies made while another process writes        | coherence: 0 old copies of 4,000                           |
 * | subscriptions broken every 300 ms               | coherence: 4 s, 0 stale beyond 2 s, 90 % of copies kept    |
 * |                                                 | whenever it is looked; 30 s, and so where `maxStale` is 5 s |
 * | the server killed 10 times, back empty          | outages: each call in time, 0 stale, back in 4 s; in 2 s   |
 * | the server stopped for 5 s                      | outages: each call in time, left alone in 2 s, half of the |
 * |                                                 | turns on time to 50 ms; 99 of 100, and each call that is   |
 * |                                                 | not answered within one deadline and 50 ms                 |
 * | connections that swallow; bytes one by one; late | outages: noticed in 2 s, 0 stale, nothing mistaken, never |
 * |                                                 | more than 10,000 calls waiting, which leave nothing; less  |
 * |                                                 | than 20 MB more memory, and 5,000 calls instead of 500     |
 * | one process cut off                             | coherence: nothing older than `maxStale`; nothing, for 0   |
 * | one process stopped                             | fleet: nothing old when it goes on, after 4 s; after 10 s  |
 * | who loads killed                                | fleet: one other loads, when the lease has ended; to 0.1 s |
 * | a cold stampede of 8 times 200                  | fleet: 1 load; without Redis 1 a process                   |
 * | a failover that loses what was confirmed        | failover: told once more, 0 old                            |
 * | a node of a Cluster killed; its slots moved     | cluster: the rest goes on, 0 stale, `clear` reaches all    |
 * | 100,000 entries of a tag, or to be cleared      | invalidations: as many commands and keys as for 500;       |
 * |                                                 | 1,000,000, in 5 ms for the caller, and for the server      |
 * | keys lost or evicted; memory full               | metadata: misses only; no caller hears of it               |
 * | hostile bytes, litter and messages              | hostile-bytes: misses that are counted, bounded memory, no |
 * |                                                 | prototype                                                  |
 * | clocks 10 min off, or jumping                   | coherence: 2.5 s, 0 stale, lifetimes right to 100 ms;      |
 * |                                                 | 30 s, to 10 ms                                             |
 * | all of it at random, by a seed                  | soak: 0 stale, all as the database has it, listeners as    |
 * |                                                 | before, nothing left open; `npm run soak` for 10 min       |
 * | two formats, or two codecs, side by side        | hostile-bytes: misses, no errors                           |
 * | a certificate that nobody vouches for           | tls: no connection                                         |
 */
export default {
  ...base,
  rootDir: '../..',
  testRegex: '\\.fault-spec\\.ts$',
  // Thousands of round trips take a slow machine minutes.
  testTimeout: 180_000,
};
