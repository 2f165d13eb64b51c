import { systemClock } from '../../../dist/clock.js';
import { LevelCalls } from '../../../dist/hierarchy/level-calls.js';
import type { CacheLevel } from '../../../dist/levels/cache-level.js';
import type { Case, Sample } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';

const CALLS = 20_000;
const BARE = 'the call alone';
const TAGS = ['tag'];

/** What it costs a call of a level that it is waited for until a deadline only, and counted when it fails. */
export function deadline(): Case {
  const level = { name: 'level', invalidateTags: async () => 'applied' } as unknown as CacheLevel;
  return {
    name: 'call of a level that answers at once',
    unit: 'ns/op',
    against: [BARE],
    subjects: {
      'the call with levelTimeout': () => {
        const calls = new LevelCalls({
          level,
          clock: systemClock,
          report: () => {},
          timeoutMs: 1_000,
        });
        return times(() => calls.invalidateTags(TAGS, undefined));
      },
      [BARE]: () => times(async () => level.invalidateTags(TAGS)),
    },
  };
}

function times(call: () => Promise<unknown>): Promise<Sample> {
  return timePerOperation(CALLS, async () => {
    for (let at = 0; at < CALLS; at++) await call();
    return CALLS;
  });
}
