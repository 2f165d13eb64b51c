import type { Suite } from '../harness/suite.js';
import { CALLERS } from '../redis/cells.js';
import { coherenceCheck, stoppedServer } from '../redis/copy-cases.js';
import { deadline } from '../redis/deadline-case.js';
import { fencedSet, levelHit } from '../redis/level-cases.js';
import { sharedHits } from '../redis/shared-hits.js';
import { staleCounts } from '../redis/stale-counts.js';

/** What the level in Redis costs beside the plain client, and other caches with the same server. */
export const redis: Suite = {
  name: 'redis',
  cases: [
    levelHit(1),
    levelHit(CALLERS),
    fencedSet(),
    deadline(),
    coherenceCheck(),
    stoppedServer(),
    sharedHits(),
    staleCounts(),
  ],
};
