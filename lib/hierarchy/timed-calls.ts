import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import type { Report } from '../report.js';
import { Deadlines } from './deadlines.js';
import { LatencyHistogram, type LatencyMetrics } from './latency-histogram.js';
import { LevelOutages, type LevelPart } from './level-outages.js';

/** What became of a call of a level. */
export type Reply<A> =
  | { readonly state: 'answered'; readonly answer: A }
  | { readonly state: 'failed'; readonly cause?: unknown }
  /** It took too long; `settled` tells later whether it was carried out in the end. */
  | { readonly state: 'late'; readonly settled: Promise<boolean>; readonly cause?: unknown };

/** What {@link TimedCalls} are made of. */
export interface TimedCallsOptions {
  /** The level's name, for the report. */
  readonly name: string;
  readonly clock: Clock;
  readonly report: Report;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Asks a part of the level, or all of it, for something small, to see whether it is back. */
  readonly probe: (part: LevelPart) => Promise<unknown>;
  /** Called when a part of the level answers again after it has failed. */
  readonly recovered?: () => void;
  /** Traces a call, and makes it. */
  readonly trace?: <A>(operation: string, run: () => Promise<Reply<A>>) => Promise<Reply<A>>;
}

/** What has become of calls since the start. */
export interface TimedCallMetrics {
  /** Calls: one for all that is asked in one step, of each part of the level. */
  readonly calls: number;
  /** Calls that failed or took longer than `levelTimeout`. */
  readonly failures: number;
  /** Those of them that took too long. */
  readonly timeouts: number;
  /** Calls that were not made, and count as failed for who asked, since the level was down. */
  readonly unsent: number;
  /** Calls that were not made, and count as failed for who asked, since 10,000 were waited for. */
  readonly shed: number;
  /**
   * `'open'` after five failures in a row: then no call is made, and one read a second, until that is answered.
   * Of a level with parts that can be away by themselves, where that is so with any of them.
   */
  readonly circuit: 'closed' | 'open';
  /** How long the answers took; those that took longer than `levelTimeout` are not among them. */
  readonly answerTimes: LatencyMetrics;
}

/**
 * So many calls of a level are waited for at most: one that is slow and not down would else be asked more and
 * more, and each call keeps its values in memory until it is answered. A batch asks for a lease of each of its
 * keys at once, so it is not fewer.
 */
export const MAX_CALLS_UNDER_WAY = 10_000;

const FAILED = { state: 'failed' } as const;

/**
 * Makes calls that all settle in time, whatever the level does, and of which none rejects. While the level, or
 * the part of it that a call concerns, is down none is made, but a probe a second, see {@link LevelOutages}; and
 * none while {@link MAX_CALLS_UNDER_WAY} are waited for.
 */
export class TimedCalls {
  readonly #options: TimedCallsOptions;
  readonly #outages: LevelOutages;
  /** Of the calls under way. */
  readonly #deadlines: Deadlines;
  readonly #answerTimes = new LatencyHistogram();
  /** A probe is nobody's call, and would else keep the context of one. */
  readonly #context = new AsyncResource('nestjs-cache-hierarchy.TimedCalls');
  #calls = 0;
  #failures = 0;
  #timeouts = 0;
  #unsent = 0;
  #shed = 0;
  #closed = false;

  constructor(options: TimedCallsOptions) {
    this.#options = options;
    this.#outages = new LevelOutages(options);
    this.#deadlines = new Deadlines(options.clock, options.timeoutMs);
  }

  /** Whether the level, or a part of it, has begun to fail, and nothing has answered since. */
  get down(): boolean {
    return this.#outages.isDown;
  }

  /** Whether the last call that ended of a part has failed. */
  isDownAt(part: LevelPart): boolean {
    return this.#outages.of(part).isOn;
  }

  /** Whether no other call is made now, since so many are waited for. */
  get isFull(): boolean {
    return this.#deadlines.size >= MAX_CALLS_UNDER_WAY;
  }

  /** Makes a call, unless what it concerns is left alone, or too many are waited for. */
  make<A>(part: LevelPart, operation: string, run: () => Promise<A>): Promise<Reply<A>> {
    if (this.#closed) return Promise.resolve(FAILED);
    if (this.isFull) {
      this.#shed += 1;
      const { name } = this.#options;
      const cause = new Error(`${MAX_CALLS_UNDER_WAY} calls of the level ${name} are waited for`);
      return Promise.resolve({ state: 'failed', cause });
    }
    const outage = this.#outages.of(part);
    if (outage.isOpen) {
      if (outage.isProbeDue()) this.#context.runInAsyncScope(() => this.#probe(part));
      this.#unsent += 1;
      return Promise.resolve({ state: 'failed', cause: outage.cause });
    }
    this.#calls += 1;
    const { trace } = this.#options;
    if (trace === undefined) return this.#race(part, operation, run);
    return trace(operation, () => this.#race(part, operation, run));
  }

  getMetrics(): TimedCallMetrics {
    return {
      calls: this.#calls,
      failures: this.#failures,
      timeouts: this.#timeouts,
      unsent: this.#unsent,
      shed: this.#shed,
      circuit: this.#outages.isOpen ? 'open' : 'closed',
      answerTimes: this.#answerTimes.getMetrics(),
    };
  }

  /** Ends every wait; makes no call any more but the last one. */
  async close(last?: () => Promise<unknown>): Promise<Reply<unknown>> {
    this.#closed = true;
    this.#deadlines.giveUpAll();
    if (last === undefined) return FAILED;
    const reply = await this.#race(undefined, 'close', last);
    this.#deadlines.rest();
    return reply;
  }

  /** Whoever asks waits for no level that may be down still. */
  #probe(part: LevelPart): void {
    this.#calls += 1;
    void this.#race(part, 'read', () => this.#options.probe(part));
  }

  #race<A>(part: LevelPart, operation: string, run: () => Promise<A>): Promise<Reply<A>> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const startedAt = clock.now();
      const running = run();
      const wait = this.#deadlines.begin((isDue) => {
        if (isDue) {
          this.#timeouts += 1;
          this.#noteFailure(part, operation, undefined);
        }
        const cause = isDue ? this.#outages.of(part).cause : undefined;
        resolve({ state: 'late', settled: isFulfilled(running), cause });
      }, startedAt);
      const answered = (answer: A): void => {
        if (this.#deadlines.end(wait)) this.#noteAnswer(part, operation, clock.now() - startedAt);
        resolve({ state: 'answered', answer });
      };
      const failed = (cause: unknown): void => {
        if (this.#deadlines.end(wait)) this.#noteFailure(part, operation, cause);
        resolve({ state: 'failed', cause });
      };
      running.then(answered, failed);
    });
  }

  #noteAnswer(part: LevelPart, operation: string, tookMs: number): void {
    this.#answerTimes.note(tookMs);
    if (this.#outages.noteAnswer(part, operation)) this.#options.recovered?.();
  }

  #noteFailure(part: LevelPart, operation: string, cause: unknown): void {
    this.#failures += 1;
    if (!this.#closed) this.#outages.noteFailure(part, operation, cause);
  }
}

/** Tells later whether a call was carried out. */
async function isFulfilled(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch {
    return false;
  }
}
