import type { CacheDetail, CacheSample, LevelName } from '../dashboard-state.js';
import { meanMs } from './latency.js';

/** Where reads were answered, and how many. */
export interface Answers {
  readonly reads: number;
  readonly answered: Readonly<Record<LevelName, number>>;
}

/** A level on the way of the reads, or the loader at its end. */
export interface FlowStep {
  readonly name: LevelName;
  /** Reads that came this far, as a part of all, between 0 and 1. */
  readonly reach: number;
  /** Reads that went no further. */
  readonly answered: number;
  /** The same as a part of all reads. */
  readonly share: number;
  /** Mean time of an answer; 0 for levels in the process, which answer at once; of the loader, of a load. */
  readonly meanMs: number | undefined;
  /** What loading the same would have taken longer; `undefined` as long as no load was timed. */
  readonly savedMs: number | undefined;
}

export interface Flow {
  readonly levels: readonly FlowStep[];
  /** Reads that no level answered: they were loaded, joined a load, or returned nothing. */
  readonly loader: FlowStep;
  readonly savedMs: number | undefined;
}

/** Follows reads through the levels. Mean times are those since the counters began. */
export function flowOf(
  { reads, answered }: Answers,
  levels: readonly LevelName[],
  detail: CacheDetail,
): Flow {
  const meanLoadMs = meanMs(detail.loadTimes);
  const share = (part: number): number => (reads === 0 ? 0 : Math.min(1, part / reads));
  let left = reads;
  const steps = levels.map((name): FlowStep => {
    const here = answered[name] ?? 0;
    const mean = meanAnswerMs(name, detail);
    const savedMs =
      here === 0 ? 0 : meanLoadMs === undefined ? undefined : here * (meanLoadMs - (mean ?? 0));
    const reach = share(left);
    left = Math.max(0, left - here);
    return { name, reach, answered: here, share: share(here), meanMs: mean, savedMs };
  });
  const rest = { reach: share(left), answered: left, share: share(left) };
  const isKnown = meanLoadMs !== undefined;
  return {
    levels: steps,
    loader: { name: 'loader', ...rest, meanMs: meanLoadMs, savedMs: undefined },
    savedMs: isKnown ? steps.reduce((sum, { savedMs }) => sum + (savedMs ?? 0), 0) : undefined,
  };
}

/** Adds up what samples say of their seconds. */
export function answersOf(samples: readonly CacheSample[]): Answers {
  const answered = new Map<LevelName, number>();
  let reads = 0;
  for (const sample of samples) {
    reads += sample.reads;
    for (const [name, count] of Object.entries(sample.answered)) {
      answered.set(name, (answered.get(name) ?? 0) + count);
    }
  }
  return { reads, answered: Object.fromEntries(answered) };
}

/** What is in the process answers within microseconds and is not timed. */
function meanAnswerMs(name: LevelName, { levels }: CacheDetail): number | undefined {
  const level = levels.find((other) => other.name === name);
  return level?.answerTimes === undefined ? 0 : meanMs(level.answerTimes);
}
