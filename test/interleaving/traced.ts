import type { Clock } from '../../lib/clock.js';

/** Where in a schedule something happens: its steps are counted from 1, and take no time by themselves. */
export interface Moment {
  step: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** How a value came to be, or was confirmed by a loader that found it unchanged. */
export interface Birth {
  readonly source: 'load' | 'set' | 'update' | 'other process';
  readonly tags: readonly string[];
  /** The step at which its set or update was called, or its loader. */
  readonly calledAt: number;
  /** The step at which the caller asked whose loader it is. */
  readonly askedAt: number;
  /** The clock time of the call. */
  readonly at: number;
  /** Whether it may be a stale answer after it has expired. */
  readonly hasGrace: boolean;
}

/** A value that knows where it comes from. */
export interface Traced {
  readonly id: string;
  /** More than one where a loader said `notModified()`. */
  readonly births: Birth[];
  /** The first step at which some level can have had it. */
  storedSince: number;
  /** The clock time at which its loader brought it, when it has. */
  broughtAt: number;
  /** Why no level may have it. */
  unstorable: string | undefined;
}

/** Makes a value that is born now. */
export function trace(
  { step, clock }: Moment,
  source: Birth['source'],
  { tags = [], hasGrace = false, askedAt = step }: Partial<Birth> = {},
): Traced {
  const birth = { source, tags, calledAt: step, askedAt, at: clock.now(), hasGrace };
  const id = `${source} of step ${step}`;
  return { id, births: [birth], storedSince: Infinity, broughtAt: Infinity, unstorable: undefined };
}
