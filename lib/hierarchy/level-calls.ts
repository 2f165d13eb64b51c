import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import { show } from '../errors.js';
import {
  isAck,
  type Ack,
  type CacheLevel,
  type DeleteMode,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type Maybe,
  type WriteOutcome,
} from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { CallBatch } from './call-batch.js';
import { Deadlines, type GiveUp } from './deadlines.js';
import { LatencyHistogram, type LatencyMetrics } from './latency-histogram.js';
import { Outage } from './outage.js';

/** What became of a call of a level. */
export type Reply<A> =
  | { readonly state: 'answered'; readonly answer: A }
  | { readonly state: 'failed'; readonly cause?: unknown }
  /** It took too long; `settled` tells later whether it was carried out in the end. */
  | { readonly state: 'late'; readonly settled: Promise<boolean>; readonly cause?: unknown };

/** What {@link LevelCalls} are made of. */
export interface LevelCallsOptions {
  readonly level: CacheLevel;
  readonly clock: Clock;
  readonly report: Report;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when it answers again after it has failed. */
  readonly recovered?: () => void;
  /** Whether somebody else closes the level. */
  readonly keepOpen?: boolean;
  /** Traces a call, and makes it. */
  readonly trace?: <A>(operation: string, run: () => Promise<Reply<A>>) => Promise<Reply<A>>;
}

/** What calls of a level have come to since the start. */
export interface LevelCallMetrics {
  /** Calls: one for all that is asked in one step. */
  readonly calls: number;
  /** Calls that failed or took longer than `levelTimeout`. */
  readonly failures: number;
  /** Those of them that took too long. */
  readonly timeouts: number;
  /** Calls that were not made, and count as failed for who asked, since the level was down. */
  readonly unsent: number;
  /** Calls that were not made, and count as failed for who asked, since 10,000 were waited for. */
  readonly shed: number;
  /** Entries that the level did not take: it can not keep them, or has no place for them now. */
  readonly refused: number;
  /** `'open'` after five failures in a row: then no call is made, and one read a second, until that is answered. */
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

/** What is read to see whether a level that is left alone is back. */
const PROBE_KEY = 'nestjs-cache-hierarchy:probe';

const FAILED = { state: 'failed' } as const;

/**
 * The calls of one level outside this process. Every one settles in time, whatever the level does, and
 * none rejects. What is asked in one step goes in one call. While the level is down none is made, but a read of
 * its own a second, see {@link Outage}; and none while {@link MAX_CALLS_UNDER_WAY} are waited for.
 */
export class LevelCalls {
  readonly #options: LevelCallsOptions;
  readonly #outage: Outage;
  readonly #reads = new CallBatch<undefined, LevelEntry>((items) =>
    this.#call('read', async () => asMap(await this.#options.level.read([...items.keys()]))),
  );
  readonly #writes = new CallBatch<LevelEntry, WriteOutcome>((items) => this.#write(items));
  /** The leases that entries were loaded with. */
  readonly #tokens = new WeakMap<LevelEntry, string>();
  readonly #deletes = new Map<string, CallBatch<undefined, Ack>>();
  /** Of the calls under way. */
  readonly #deadlines: Deadlines;
  readonly #answerTimes = new LatencyHistogram();
  /** A probe is nobody's call, and would else keep the context of one. */
  readonly #context = new AsyncResource('nestjs-cache-hierarchy.LevelCalls');
  #calls = 0;
  #failures = 0;
  #timeouts = 0;
  #unsent = 0;
  #shed = 0;
  #refused = 0;
  #closed = false;

  constructor(options: LevelCallsOptions) {
    this.#options = options;
    this.#outage = new Outage({ ...options, name: options.level.name });
    this.#deadlines = new Deadlines(options.clock, options.timeoutMs);
  }

  /** Whether the last call that ended has failed. */
  get down(): boolean {
    return this.#outage.isOn;
  }

  /** Whether no other call is made now, since so many are waited for. */
  get isFull(): boolean {
    return this.#deadlines.size >= MAX_CALLS_UNDER_WAY;
  }

  read(key: string): Promise<Reply<LevelEntry | undefined>> {
    return this.#reads.add(key, undefined);
  }

  /** Stores an entry; what was loaded with a lease comes with its token. */
  write(key: string, entry: LevelEntry, token?: string): Promise<Reply<WriteOutcome | undefined>> {
    if (token !== undefined) this.#tokens.set(entry, token);
    return this.#writes.add(key, entry);
  }

  /** Whether the level lets one process of all that share it load a key. */
  get givesLeases(): boolean {
    return this.#options.level.lease !== undefined;
  }

  /** Asks for a lease; one that comes too late is given back. */
  async lease(key: string, mode: LeaseMode): Promise<Reply<Lease | undefined>> {
    const { level } = this.#options;
    let isLate = false;
    const reply = await this.#call('lease', async () => {
      const lease = await level.lease?.(key, mode);
      if (isLate && lease?.state === 'load') lease.release();
      return lease;
    });
    isLate = reply.state === 'late';
    return reply;
  }

  delete(key: string, mode: DeleteMode): Promise<Reply<Ack | undefined>> {
    const group = `${mode.expire === true}/${mode.hold ?? ''}`;
    let batch = this.#deletes.get(group);
    if (batch === undefined) {
      batch = new CallBatch<undefined, Ack>((items) => {
        this.#deletes.delete(group);
        return this.#delete([...items.keys()], mode);
      });
      this.#deletes.set(group, batch);
    }
    return batch.add(key, undefined);
  }

  invalidateTags(tags: readonly string[], hold: number | undefined): Promise<Reply<Ack>> {
    const { level } = this.#options;
    return this.#call('invalidateTags', async () =>
      asAck(await level.invalidateTags(tags, { hold })),
    );
  }

  clear(prefix: string): Promise<Reply<Ack>> {
    const { level } = this.#options;
    return this.#call('clear', async () =>
      asAck(await level.clear(prefix === '' ? undefined : prefix)),
    );
  }

  getMetrics(): LevelCallMetrics {
    return {
      calls: this.#calls,
      failures: this.#failures,
      timeouts: this.#timeouts,
      unsent: this.#unsent,
      shed: this.#shed,
      refused: this.#refused,
      circuit: this.#outage.isOpen ? 'open' : 'closed',
      answerTimes: this.#answerTimes.getMetrics(),
    };
  }

  /** Ends every wait, and the level unless somebody else does. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deadlines.giveUpAll();
    if (this.#options.keepOpen === true) return;
    const { level, report } = this.#options;
    let cause: unknown;
    const reply = await this.#race('close', async () => {
      try {
        await level.close();
      } catch (error) {
        cause = error;
        throw error;
      }
    });
    this.#deadlines.rest();
    if (reply.state === 'answered') return;
    report({
      code: 'CACHE_LEVEL_NOT_CLOSED',
      message: `The level ${level.name} of a cache did not close.`,
      cause,
    });
  }

  #write(entries: ReadonlyMap<string, LevelEntry>): Promise<Reply<Map<string, WriteOutcome>>> {
    const tokens = new Map<string, string>();
    for (const [key, entry] of entries) {
      const token = this.#tokens.get(entry);
      if (token !== undefined) tokens.set(key, token);
    }
    return this.#call('write', async () => {
      const outcomes = asMap(await this.#options.level.write(entries, tokens));
      for (const outcome of outcomes.values()) if (outcome === 'refused') this.#refused += 1;
      return outcomes;
    });
  }

  async #delete(keys: readonly string[], mode: DeleteMode): Promise<Reply<Map<string, Ack>>> {
    const reply = await this.#call('delete', async () =>
      asAck(await this.#options.level.delete(keys, mode)),
    );
    if (reply.state !== 'answered') return reply;
    return { state: 'answered', answer: new Map(keys.map((key) => [key, reply.answer])) };
  }

  #call<A>(operation: string, run: () => Maybe<A>): Promise<Reply<A>> {
    if (this.#closed) return Promise.resolve(FAILED);
    if (this.isFull) {
      this.#shed += 1;
      const { name } = this.#options.level;
      const cause = new Error(`${MAX_CALLS_UNDER_WAY} calls of the level ${name} are waited for`);
      return Promise.resolve({ state: 'failed', cause });
    }
    if (this.#outage.isOpen) {
      if (this.#outage.isProbeDue()) this.#context.runInAsyncScope(() => this.#probe());
      this.#unsent += 1;
      return Promise.resolve({ state: 'failed', cause: this.#outage.cause });
    }
    this.#calls += 1;
    const { trace } = this.#options;
    if (trace === undefined) return this.#race(operation, run);
    return trace(operation, () => this.#race(operation, run));
  }

  /** Reads what nobody has stored: whoever asks waits for no level that may be down still. */
  #probe(): void {
    this.#calls += 1;
    void this.#race('read', async () => asMap(await this.#options.level.read([PROBE_KEY])));
  }

  #race<A>(operation: string, run: () => Maybe<A>): Promise<Reply<A>> {
    return new Promise((resolve) => {
      const giveUp: GiveUp = (isDue) => {
        if (isDue) {
          this.#timeouts += 1;
          this.#noteFailure(operation, undefined);
        }
        resolve({ state: 'late', settled, cause: isDue ? this.#outage.cause : undefined });
      };
      const settled = this.#carryOut(operation, run, giveUp, resolve);
      this.#deadlines.add(giveUp);
    });
  }

  /** Returns whether it was carried out, in time or not. */
  async #carryOut<A>(
    operation: string,
    run: () => Maybe<A>,
    giveUp: GiveUp,
    resolve: (reply: Reply<A>) => void,
  ): Promise<boolean> {
    const { clock, recovered } = this.#options;
    const startedAt = clock.now();
    let answer: A;
    try {
      answer = await run();
    } catch (error) {
      if (this.#deadlines.end(giveUp)) this.#noteFailure(operation, error);
      resolve({ state: 'failed', cause: error });
      return false;
    }
    if (this.#deadlines.end(giveUp)) {
      this.#answerTimes.note(clock.now() - startedAt);
      if (this.#outage.noteAnswer()) recovered?.();
    }
    resolve({ state: 'answered', answer });
    return true;
  }

  #noteFailure(operation: string, cause: unknown): void {
    this.#failures += 1;
    if (!this.#closed) this.#outage.noteFailure(operation, cause);
  }
}

/** @throws {TypeError} for the answer of a level that does not keep to its port */
function asMap<A>(answer: Map<string, A>): Map<string, A> {
  if (answer instanceof Map) return answer;
  throw new TypeError(`it must answer with a Map, got ${show(answer)}`);
}

/** @throws {TypeError} for an answer that does not say whether anything was done */
function asAck(answer: Ack): Ack {
  if (isAck(answer)) return answer;
  throw new TypeError(`it must answer 'applied' or 'queued', got ${show(answer)}`);
}
