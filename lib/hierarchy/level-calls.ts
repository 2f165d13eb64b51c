import { show } from '../errors.js';
import {
  isAck,
  type Ack,
  type CacheLevel,
  type DeleteMode,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type WriteOutcome,
} from '../levels/cache-level.js';
import { CallBatch } from './call-batch.js';
import type { LevelPart } from './level-outages.js';
import {
  TimedCalls,
  type Reply,
  type TimedCallMetrics,
  type TimedCallsOptions,
} from './timed-calls.js';

export type { Reply } from './timed-calls.js';

/** What {@link LevelCalls} are made of. */
export interface LevelCallsOptions extends Omit<TimedCallsOptions, 'name' | 'probe'> {
  readonly level: CacheLevel;
  /** Whether somebody else closes the level. */
  readonly keepOpen?: boolean;
}

/** What calls of a level have come to since the start. */
export interface LevelCallMetrics extends TimedCallMetrics {
  /** Entries that the level did not take: it can not keep them, or has no place for them now. */
  readonly refused: number;
}

/** What is read to see whether a level that is left alone is back. */
const PROBE_KEY = 'nestjs-cache-hierarchy:probe';

/** What is asked key by key of a level, or of a part of it, and goes in one call. */
interface Batches {
  readonly reads: CallBatch<undefined, LevelEntry>;
  readonly writes: CallBatch<LevelEntry, WriteOutcome>;
  /** By what else is said of them. */
  readonly deletes: Map<string, CallBatch<undefined, Ack>>;
}

/**
 * What is asked of one level outside this process; see {@link TimedCalls} for what becomes of it. What is
 * asked in one step goes in one call, or in one for each part of the level that can be away by itself.
 */
export class LevelCalls {
  readonly #options: LevelCallsOptions;
  readonly #calls: TimedCalls;
  readonly #batches = new Map<LevelPart, Batches>();
  /** By part, what is read to see whether it is back: the first key of it that was asked for. */
  readonly #probeKeys = new Map<LevelPart, string>([[undefined, PROBE_KEY]]);
  /** The leases that entries were loaded with. */
  readonly #tokens = new WeakMap<LevelEntry, string>();
  #refused = 0;

  constructor(options: LevelCallsOptions) {
    this.#options = options;
    const probe = (part: LevelPart): Promise<unknown> => this.#probe(part);
    this.#calls = new TimedCalls({ ...options, name: options.level.name, probe });
  }

  /** Whether it, or a part of it, has begun to fail, and nothing has answered since. */
  get down(): boolean {
    return this.#calls.down;
  }

  /** Whether the last call has failed that ended of the part that a key is in. */
  isDownFor(key: string): boolean {
    return this.#calls.isDownAt(this.#partOf(key));
  }

  /** Whether no other call is made now, since so many are waited for. */
  get isFull(): boolean {
    return this.#calls.isFull;
  }

  read(key: string): Promise<Reply<LevelEntry | undefined>> {
    return this.#batchesOf(key).reads.add(key, undefined);
  }

  /** Stores an entry; what was loaded with a lease comes with its token. */
  write(key: string, entry: LevelEntry, token?: string): Promise<Reply<WriteOutcome | undefined>> {
    if (token !== undefined) this.#tokens.set(entry, token);
    return this.#batchesOf(key).writes.add(key, entry);
  }

  /** Whether the level lets one process of all that share it load a key. */
  get givesLeases(): boolean {
    return this.#options.level.lease !== undefined;
  }

  /** Asks for a lease; one that comes too late is given back. */
  async lease(key: string, mode: LeaseMode): Promise<Reply<Lease | undefined>> {
    const { level } = this.#options;
    let isLate = false;
    const reply = await this.#calls.make(this.#partOf(key), 'lease', async () => {
      const lease = await level.lease?.(key, mode);
      if (isLate && lease?.state === 'load') lease.release();
      return lease;
    });
    isLate = reply.state === 'late';
    return reply;
  }

  delete(key: string, mode: DeleteMode): Promise<Reply<Ack | undefined>> {
    const { deletes } = this.#batchesOf(key);
    const group = `${mode.expire === true}/${mode.hold ?? ''}`;
    let batch = deletes.get(group);
    if (batch === undefined) {
      const part = this.#partOf(key);
      batch = new CallBatch<undefined, Ack>((items) => {
        deletes.delete(group);
        return this.#delete(part, [...items.keys()], mode);
      });
      deletes.set(group, batch);
    }
    return batch.add(key, undefined);
  }

  invalidateTags(tags: readonly string[], hold: number | undefined): Promise<Reply<Ack>> {
    const { level } = this.#options;
    return this.#calls.make(undefined, 'invalidateTags', async () =>
      asAck(await level.invalidateTags(tags, { hold })),
    );
  }

  clear(prefix: string): Promise<Reply<Ack>> {
    const { level } = this.#options;
    return this.#calls.make(undefined, 'clear', async () =>
      asAck(await level.clear(prefix === '' ? undefined : prefix)),
    );
  }

  getMetrics(): LevelCallMetrics {
    return { ...this.#calls.getMetrics(), refused: this.#refused };
  }

  /** Ends every wait, and the level unless somebody else does. */
  async close(): Promise<void> {
    const { level, report, keepOpen } = this.#options;
    if (keepOpen === true) {
      await this.#calls.close();
      return;
    }
    const reply = await this.#calls.close(async () => level.close());
    if (reply.state === 'answered') return;
    report({
      code: 'CACHE_LEVEL_NOT_CLOSED',
      message: `Level ${level.name} did not close.`,
      cause: reply.state === 'failed' ? reply.cause : undefined,
    });
  }

  #partOf(key: string): LevelPart {
    const { level } = this.#options;
    if (level.partOf === undefined) return undefined;
    try {
      const part = level.partOf(key);
      if (!this.#probeKeys.has(part)) this.#probeKeys.set(part, key);
      return part;
    } catch {
      return undefined;
    }
  }

  /** Reads a key of a part; for all of the level one of each part, since all of them have to be back. */
  async #probe(part: LevelPart): Promise<unknown> {
    const all = [...this.#probeKeys.values()];
    const keys = part === undefined ? all : [this.#probeKeys.get(part)!];
    return asMap(await this.#options.level.read(keys));
  }

  #batchesOf(key: string): Batches {
    const part = this.#partOf(key);
    let batches = this.#batches.get(part);
    if (batches === undefined) {
      const { level } = this.#options;
      batches = {
        reads: new CallBatch((items) =>
          this.#calls.make(part, 'read', async () => asMap(await level.read([...items.keys()]))),
        ),
        writes: new CallBatch((items) => this.#write(part, items)),
        deletes: new Map(),
      };
      this.#batches.set(part, batches);
    }
    return batches;
  }

  #write(
    part: LevelPart,
    entries: ReadonlyMap<string, LevelEntry>,
  ): Promise<Reply<Map<string, WriteOutcome>>> {
    const tokens = new Map<string, string>();
    for (const [key, entry] of entries) {
      const token = this.#tokens.get(entry);
      if (token !== undefined) tokens.set(key, token);
    }
    return this.#calls.make(part, 'write', async () => {
      const outcomes = asMap(await this.#options.level.write(entries, tokens));
      for (const outcome of outcomes.values()) if (outcome === 'refused') this.#refused += 1;
      return outcomes;
    });
  }

  async #delete(
    part: LevelPart,
    keys: readonly string[],
    mode: DeleteMode,
  ): Promise<Reply<Map<string, Ack>>> {
    const reply = await this.#calls.make(part, 'delete', async () =>
      asAck(await this.#options.level.delete(keys, mode)),
    );
    if (reply.state !== 'answered') return reply;
    return { state: 'answered', answer: new Map(keys.map((key) => [key, reply.answer])) };
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
