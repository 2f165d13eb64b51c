import type { Clock } from '../clock.js';
import { show } from '../errors.js';
import type {
  Ack,
  CacheLevel,
  DeleteMode,
  LevelEntry,
  Maybe,
  WriteOutcome,
} from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { CallBatch } from './call-batch.js';

/** What became of a call of a level. */
export type Reply<A> =
  | { readonly state: 'answered'; readonly answer: A }
  | { readonly state: 'failed' }
  /** It took too long; `settled` tells later whether it was carried out in the end. */
  | { readonly state: 'late'; readonly settled: Promise<boolean> };

/** What {@link LevelCalls} are made of. */
export interface LevelCallsOptions {
  readonly level: CacheLevel;
  readonly clock: Clock;
  readonly report: Report;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether somebody else closes the level. */
  readonly keepOpen?: boolean;
}

/** What calls of a level have come to since the start. */
export interface LevelCallMetrics {
  /** Calls: one for all that is asked in one step. */
  readonly calls: number;
  /** Calls that failed or took longer than `levelTimeout`. */
  readonly failures: number;
  /** Those of them that took too long. */
  readonly timeouts: number;
}

const FAILED = { state: 'failed' } as const;

/**
 * The calls of one level outside this process. Every one settles in time, whatever the level does, and
 * none rejects. What is asked in one step goes in one call. An outage is reported when it begins.
 */
export class LevelCalls {
  readonly #options: LevelCallsOptions;
  readonly #reads = new CallBatch<undefined, LevelEntry>((items) =>
    this.#call('read', async () => asMap(await this.#options.level.read([...items.keys()]))),
  );
  readonly #writes = new CallBatch<LevelEntry, WriteOutcome>((items) =>
    this.#call('write', async () => asMap(await this.#options.level.write(items))),
  );
  readonly #deletes = new Map<string, CallBatch<undefined, Ack>>();
  /** Ends the wait for each call under way. */
  readonly #waits = new Set<() => void>();
  #calls = 0;
  #failures = 0;
  #timeouts = 0;
  #down = false;
  #closed = false;

  constructor(options: LevelCallsOptions) {
    this.#options = options;
  }

  /** Whether the last call that ended has failed. */
  get down(): boolean {
    return this.#down;
  }

  read(key: string): Promise<Reply<LevelEntry | undefined>> {
    return this.#reads.add(key, undefined);
  }

  write(key: string, entry: LevelEntry): Promise<Reply<WriteOutcome | undefined>> {
    return this.#writes.add(key, entry);
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
    return this.#call('invalidateTags', () => level.invalidateTags(tags, { hold }));
  }

  clear(prefix: string): Promise<Reply<Ack>> {
    const { level } = this.#options;
    return this.#call('clear', () => level.clear(prefix === '' ? undefined : prefix));
  }

  getMetrics(): LevelCallMetrics {
    return { calls: this.#calls, failures: this.#failures, timeouts: this.#timeouts };
  }

  /** Ends every wait, and the level unless somebody else does. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#waits) end();
    if (this.#options.keepOpen === true) return;
    const reply = await this.#race('close', () => this.#options.level.close());
    if (reply.state === 'answered') return;
    this.#options.report({
      code: 'CACHE_LEVEL_NOT_CLOSED',
      message: `The level ${this.#options.level.name} of a cache did not close.`,
    });
  }

  async #delete(keys: readonly string[], mode: DeleteMode): Promise<Reply<Map<string, Ack>>> {
    const reply = await this.#call('delete', () => this.#options.level.delete(keys, mode));
    if (reply.state !== 'answered') return reply;
    return { state: 'answered', answer: new Map(keys.map((key) => [key, reply.answer])) };
  }

  async #call<A>(operation: string, run: () => Maybe<A>): Promise<Reply<A>> {
    if (this.#closed) return FAILED;
    this.#calls += 1;
    return this.#race(operation, run);
  }

  #race<A>(operation: string, run: () => Maybe<A>): Promise<Reply<A>> {
    return new Promise((resolve) => {
      let isOver = false;
      const settled = this.#start(run).then(
        (answer) => {
          end();
          if (!isOver) this.#noteAnswer();
          resolve({ state: 'answered', answer });
          return true;
        },
        (error: unknown) => {
          end();
          if (!isOver) this.#noteFailure(operation, error);
          resolve(FAILED);
          return false;
        },
      );
      const giveUp = (): void => {
        end();
        isOver = true;
        resolve({ state: 'late', settled });
      };
      const { clock, timeoutMs } = this.#options;
      const cancel = clock.setTimer(() => {
        this.#timeouts += 1;
        this.#noteFailure(operation, undefined);
        giveUp();
      }, timeoutMs);
      const end = (): void => {
        cancel();
        this.#waits.delete(giveUp);
      };
      this.#waits.add(giveUp);
    });
  }

  async #start<A>(run: () => Maybe<A>): Promise<A> {
    return run();
  }

  #noteAnswer(): void {
    this.#down = false;
  }

  #noteFailure(operation: string, cause: unknown): void {
    const { level, report, timeoutMs } = this.#options;
    this.#failures += 1;
    if (this.#down || this.#closed) return;
    this.#down = true;
    const what = cause === undefined ? `took longer than ${timeoutMs} ms` : 'failed';
    report({
      code: 'CACHE_LEVEL_DOWN',
      message:
        `The ${operation} of the level ${level.name} of a cache ${what}. Until it answers again its ` +
        'failures are misses, skipped writes and invalidations that are tried again; they are counted ' +
        'and not reported.',
      cause,
    });
  }
}

/** @throws {TypeError} for the answer of a level that does not keep to its port */
function asMap<A>(answer: Map<string, A>): Map<string, A> {
  if (answer instanceof Map) return answer;
  throw new TypeError(`it must answer with a Map, got ${show(answer)}`);
}
