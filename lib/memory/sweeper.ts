import { systemClock, type Clock } from '../clock.js';
import { emitProcessWarning, guardReport, type Report } from '../report.js';

/** What wakes a {@link Sweeper}. */
export interface SweepTimer extends Pick<Clock, 'setTimer'> {
  /** Whether somebody has stopped it, so it wakes nobody any more. */
  readonly isStopped?: boolean;
}

/** Something that a {@link Sweeper} cleans. */
export interface Sweepable {
  readonly name: string;
  /** How often it is swept, in milliseconds; `Infinity` for only when asked. */
  readonly sweepEveryMs: number;
  /**
   * Removes what is expired for about `budgetMs`; `more` asks for another slice of this sweep. With
   * `anew` a new sweep begins, and one that was under way is forgotten.
   */
  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean };
}

/** What one sweep of one {@link Sweepable} did. */
export interface SweepRun {
  readonly name: string;
  readonly removed: number;
  /** From the sweep's first slice to its last, in milliseconds, with the turns in between. */
  readonly durationMs: number;
  /** Its longest slice, in milliseconds: how long it kept the event loop at most. */
  readonly longestSliceMs: number;
}

/** What a {@link Sweeper} has done so far and does next. */
export interface SweeperStatus {
  /** Whether it is started, has something to sweep, and its timer was not stopped by somebody else. */
  readonly running: boolean;
  /** Wall-clock time at which the last sweep ended, in milliseconds since 1970. */
  readonly lastRunAt: number | undefined;
  /** Entries that the last sweep removed. */
  readonly lastRemoved: number;
  /** Entries that all sweeps have removed. */
  readonly removed: number;
  /** Sweeps that ended. */
  readonly runs: number;
  /** The longest slice of all sweeps, in milliseconds. */
  readonly longestSliceMs: number;
  /** All slices together, in milliseconds. */
  readonly busyMs: number;
  /** Wall-clock time at which the next sweep is due, in milliseconds since 1970. */
  readonly nextRunAt: number | undefined;
}

/** Options of a {@link Sweeper}. */
export interface SweeperOptions {
  readonly clock?: Clock;
  /** Sweeps in flight at most, over everything that is swept. */
  readonly maxWorkers?: number;
  /** Called after each sweep. */
  readonly onRun?: (run: SweepRun) => void;
  /** Receives what went wrong; the process's warnings by default. */
  readonly report?: Report;
}

export const DEFAULT_MAX_WORKERS = 4;
/** All sweeps together keep the event loop this long in one turn. */
const BUDGET_PER_TURN_MS = 1;

interface Target {
  readonly swept: Sweepable;
  dueAt: number;
}

interface Job {
  readonly swept: Sweepable;
  startedAt: number | undefined;
  begun: boolean;
  removed: number;
  longestSliceMs: number;
  readonly done: (removed: number) => void;
}

/**
 * Sweeps levels and caches from one timer, in slices: in each turn of the event loop the sweeps in
 * flight, at most `maxWorkers`, share one time budget, and the next slice is left to the next turn.
 * So nobody waits for a full scan. One thread does not get faster by this; it gets no long stops.
 */
export class Sweeper {
  readonly #clock: Clock;
  #timer: SweepTimer;
  readonly #maxWorkers: number;
  readonly #onRun: (run: SweepRun) => void;
  readonly #report: Report;
  readonly #targets = new Map<Sweepable, Target>();
  /** Sweeps that wait for a place, or for the sweep of the same target to end. */
  #waiting: Job[] = [];
  readonly #working = new Map<Sweepable, Job>();
  #cancelTimer: (() => void) | undefined;
  #cancelSlice: (() => void) | undefined;
  #running = false;
  #status = { lastRunAt: undefined as number | undefined, lastRemoved: 0, removed: 0, runs: 0 };
  #longestSliceMs = 0;
  #busyMs = 0;

  constructor(options: SweeperOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#timer = this.#clock;
    this.#maxWorkers = options.maxWorkers ?? DEFAULT_MAX_WORKERS;
    this.#onRun = options.onRun ?? (() => {});
    this.#report = guardReport(options.report ?? emitProcessWarning);
  }

  /** Adds something to sweep. */
  add(swept: Sweepable): void {
    this.#targets.set(swept, { swept, dueAt: this.#clock.now() + swept.sweepEveryMs });
    if (this.#running) this.#arm();
  }

  /** Forgets something that was swept; its sweep under way ends here. */
  remove(swept: Sweepable): void {
    this.#targets.delete(swept);
    this.#finish(this.#working.get(swept));
    for (const job of this.#waiting.filter((waiting) => waiting.swept === swept)) job.done(0);
    this.#waiting = this.#waiting.filter((job) => job.swept !== swept);
    if (this.#running) this.#arm();
  }

  /** Is woken by this timer and not by its clock, from now on. */
  timeBy(timer: SweepTimer): void {
    this.#timer = timer;
    if (this.#running) this.#arm();
  }

  /** Starts the timer: each target is first due one interval from now. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    for (const target of this.#targets.values()) {
      target.dueAt = this.#clock.now() + target.swept.sweepEveryMs;
    }
    this.#arm();
  }

  /** Stops the timer and the sweeps under way; what was not swept stays. */
  stop(): void {
    this.#running = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#cancelSlice?.();
    this.#cancelSlice = undefined;
    for (const job of [...this.#working.values(), ...this.#waiting]) job.done(job.removed);
    this.#working.clear();
    this.#waiting = [];
  }

  /**
   * Sweeps one target now, from its beginning, after a sweep of it that is under way.
   *
   * @returns how many entries it removed
   */
  sweepNow(swept: Sweepable): Promise<number> {
    return new Promise((done) => this.#enqueue(swept, done));
  }

  status(): SweeperStatus {
    const nextInMs = this.#nextDueAt() - this.#clock.now();
    const running = this.#running && this.#targets.size > 0 && this.#timer.isStopped !== true;
    const armed = running && nextInMs !== Infinity;
    return {
      running,
      ...this.#status,
      longestSliceMs: this.#longestSliceMs,
      busyMs: this.#busyMs,
      nextRunAt: armed ? this.#clock.wallNow() + Math.max(0, nextInMs) : undefined,
    };
  }

  #nextDueAt(): number {
    let next = Infinity;
    for (const { dueAt } of this.#targets.values()) next = Math.min(next, dueAt);
    return next;
  }

  #arm(): void {
    this.#cancelTimer?.();
    const delayMs = Math.max(0, this.#nextDueAt() - this.#clock.now());
    this.#cancelTimer = this.#timer.setTimer(() => this.#sweepDue(), delayMs);
  }

  #sweepDue(): void {
    const now = this.#clock.now();
    for (const target of this.#targets.values()) {
      if (target.dueAt > now) continue;
      target.dueAt = now + target.swept.sweepEveryMs;
      if (!this.#isQueued(target.swept)) this.#enqueue(target.swept, () => {});
    }
    this.#arm();
  }

  #isQueued(swept: Sweepable): boolean {
    return this.#working.has(swept) || this.#waiting.some((job) => job.swept === swept);
  }

  #enqueue(swept: Sweepable, done: Job['done']): void {
    this.#waiting.push({
      swept,
      startedAt: undefined,
      begun: false,
      removed: 0,
      longestSliceMs: 0,
      done,
    });
    this.#cancelSlice ??= this.#clock.setImmediate(() => this.#slice());
  }

  /** One turn: every sweep in flight gets its part of the budget. */
  #slice(): void {
    this.#cancelSlice = undefined;
    this.#fillPlaces();
    const budgetMs = BUDGET_PER_TURN_MS / Math.max(1, this.#working.size);
    for (const job of this.#working.values()) this.#advance(job, budgetMs);
    if (this.#working.size > 0 || this.#waiting.length > 0) {
      this.#cancelSlice ??= this.#clock.setImmediate(() => this.#slice());
    }
  }

  #fillPlaces(): void {
    this.#waiting = this.#waiting.filter((job) => {
      if (this.#working.size >= this.#maxWorkers || this.#working.has(job.swept)) return true;
      job.startedAt = this.#clock.now();
      this.#working.set(job.swept, job);
      return false;
    });
  }

  #advance(job: Job, budgetMs: number): void {
    const startedAt = this.#clock.now();
    const { removed, more } = this.#sweepOf(job, budgetMs);
    const sliceMs = this.#clock.now() - startedAt;
    job.removed += removed;
    job.longestSliceMs = Math.max(job.longestSliceMs, sliceMs);
    this.#longestSliceMs = Math.max(this.#longestSliceMs, sliceMs);
    this.#busyMs += sliceMs;
    if (!more) this.#finish(job);
  }

  #finish(job: Job | undefined): void {
    if (job === undefined) return;
    const { swept, removed, longestSliceMs } = job;
    this.#working.delete(swept);
    this.#status = {
      lastRunAt: this.#clock.wallNow(),
      lastRemoved: removed,
      removed: this.#status.removed + removed,
      runs: this.#status.runs + 1,
    };
    const durationMs = this.#clock.now() - (job.startedAt ?? this.#clock.now());
    job.done(removed);
    try {
      this.#onRun({ name: swept.name, removed, durationMs, longestSliceMs });
    } catch (cause) {
      this.#report({
        code: 'CACHE_SWEEP_NOT_LOGGED',
        message: `What was told of the sweep of ${swept.name} threw. The sweep is done.`,
        cause,
      });
    }
  }

  /** One slice. A target that throws ends its own sweep and nobody else's. */
  #sweepOf(job: Job, budgetMs: number): ReturnType<Sweepable['sweep']> {
    const anew = !job.begun;
    job.begun = true;
    try {
      return job.swept.sweep(budgetMs, anew);
    } catch (cause) {
      this.#report({
        code: 'CACHE_SWEEP_FAILED',
        message: `The sweep of ${job.swept.name} threw. It is tried again when it is due.`,
        cause,
      });
      return { removed: 0, more: false };
    }
  }
}
