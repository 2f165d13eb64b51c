import type { NaiveAgenda } from './naive-agenda.js';
import type { NaiveEntries, Row, Rules, Said } from './naive-entries.js';
import type { Reply } from './reply.js';
import type { Source } from './scripted-source.js';

/** Somebody who wants a value. */
export interface Caller {
  readonly key: string;
  readonly said: Said;
  readonly source: Source;
  readonly wait: number | undefined;
  readonly reply: Reply;
}

/** What a naive policy has seen. */
export interface NaiveCounts {
  hits: number;
  misses: number;
  loads: number;
  loadFailures: number;
  staleServed: number;
  refreshes: number;
  sets: number;
  unstored: number;
  fenced: number;
}

/** What the parts of a naive policy share. */
export interface NaiveState {
  readonly rules: Rules;
  readonly agenda: NaiveAgenda;
  readonly entries: NaiveEntries;
  readonly counts: NaiveCounts;
  /** How many tags and namespaces have been invalidated. */
  order: number;
}

/** A caller who has no answer yet. */
export interface Waiter extends Caller {
  readonly calledAt: number;
  readonly order: number;
  load: Load | undefined;
}

/** A load under way. */
export interface Load {
  readonly key: string;
  readonly said: Said;
  readonly source: Source;
  readonly calledAt: number;
  readonly startedAt: number;
  readonly order: number;
  /** What there was when its loader was called. */
  readonly stale: Row | undefined;
  readonly waiters: Set<Waiter>;
  readonly tags: string[];
  readonly tagsGone: Set<string>;
  /** Nothing that it brings is stored, and nobody who comes now is answered by it. */
  gone: boolean;
  /** It goes on when nobody waits. */
  behind: boolean;
  /** It is over its soft timeout, and there was another answer. */
  late: boolean;
  /** It is over its hard timeout. */
  givenUp: boolean;
  /** It has ended, or nobody waits for it any more. */
  over: boolean;
  aborted: boolean;
}
