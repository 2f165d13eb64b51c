import { describe, it } from '@jest/globals';
import { systemClock } from '../../lib/clock.js';
import type { CacheLevel } from '../../lib/levels/cache-level.js';
import { ChaosLevel } from '../../lib/testing/chaos-level.js';
import { describeLevel } from '../../lib/testing/describe-level.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import type { LevelSubject } from '../../lib/testing/level-bench.js';
import { MapLevel } from '../../lib/testing/map-level.js';

const jest = { describe, it };

/** A level on a fake clock. */
function subjectOf(create: (clock: FakeClock) => CacheLevel): LevelSubject {
  const clock = new FakeClock();
  return { level: create(clock), now: () => clock.now(), advance: (ms) => clock.advance(ms) };
}

for (const inProcess of [true, false]) {
  const where = inProcess ? 'in this process' : 'outside';
  describeLevel(
    `${MapLevel.name} ${where}`,
    () => subjectOf((clock) => new MapLevel({ clock, inProcess })),
    jest,
  );
  describeLevel(
    `${ChaosLevel.name} that is calm, ${where}`,
    () =>
      subjectOf((clock) => new ChaosLevel({ clock, level: new MapLevel({ clock, inProcess }) })),
    jest,
  );
}

describeLevel(
  `${MapLevel.name} on the real clock`,
  () => ({
    level: new MapLevel(),
    now: () => systemClock.now(),
    advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }),
  jest,
);
