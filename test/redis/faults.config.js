import base from '../../jest.config.js';

/**
 * The tests that stop, kill and cut off servers and processes: minutes long, so a command of their own.
 * Each is made with both clients, where a client can make a difference; what is said to be never stale is
 * first shown to be stale with a plain GET, SET and DEL, or without what protects it.
 *
 * | fault or load                                   | where, and what passes                                     |
 * | ----------------------------------------------- | ---------------------------------------------------------- |
 * | processes read and invalidate the same keys     | fleet: 0 stale, some loads fenced                          |
 * | copies made while another process writes        | coherence: 0 old copies of 4,000                           |
 * | subscriptions broken every 300 ms               | coherence: 0 stale beyond the bound, 90 % of copies kept   |
 * | the server killed, back empty                   | outages: each call in time, 0 stale, back within 4 s       |
 * | the server stopped                              | outages: each call in time, left alone within 2 s          |
 * | connections that swallow; bytes one by one; late | outages: left within 4 s, 0 stale, nothing mistaken        |
 * | one process cut off                             | coherence: nothing older than `maxStale`                   |
 * | one process stopped                             | fleet: nothing old when it goes on                         |
 * | who loads killed                                | fleet: one other loads, when the lease has ended           |
 * | a cold stampede of 4 times 200                  | fleet: 1 load; without Redis 1 a process                   |
 * | a failover that loses what was confirmed        | failover: told once more, 0 old                            |
 * | a node of a Cluster killed; its slots moved     | cluster: the rest goes on, 0 stale, `clear` reaches all    |
 * | 100,000 entries of a tag; keys lost or evicted;  | metadata: as many commands as for 500; misses only;        |
 * | memory full                                     | no caller hears of it                                      |
 * | hostile bytes, litter and messages              | hostile-bytes: misses, bounded memory, no prototype        |
 * | clocks 10 min off, or jumping                   | coherence: 0 stale, lifetimes right to 100 ms              |
 * | all of it at random, by a seed                  | soak: 0 stale, all as the database has it; `npm run soak`  |
 * | two formats side by side                        | hostile-bytes: misses, no reports                          |
 * | a certificate that nobody vouches for           | tls: no connection                                         |
 */
export default {
  ...base,
  rootDir: '../..',
  testRegex: '\\.fault-spec\\.ts$',
  // Thousands of round trips take a slow machine minutes.
  testTimeout: 180_000,
};
