import { isUint8Array } from 'node:util/types';
import type { Clock } from '../clock.js';
import type { LevelEntry, Maybe, WriteOutcome } from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { ofKey } from './change-message.js';
import { compress, idOf, type Codec } from './codec.js';
import type { KeyLayout } from './key-layout.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { marksOf, newNonce } from './marks.js';
import { encodeRecord } from './record.js';
import type { RedisDriver } from './redis-driver.js';
import type { RedisInvalidations } from './redis-invalidations.js';
import { isSettled, unlessFull } from './refusals.js';
import { DIGITS, MAX_TTL_MS, WRITE } from './scripts.js';
import type { ServerTime, ServerTimes } from './server-time.js';

/** What a {@link RecordWriter} is made of. */
export interface RecordWriterParts {
  readonly driver: Pick<RedisDriver, 'run'>;
  readonly clock: Clock;
  readonly codec: Codec;
  readonly layout: KeyLayout;
  readonly times: ServerTimes;
  readonly invalidations: RedisInvalidations;
  readonly leases: LeaseKeeper;
}

/** A write that Redis would carry out later than this after the call is not carried out. */
const WRITE_WITHIN_MS = 1_000;

/** An entry on its way. */
interface Write {
  readonly key: string;
  readonly entry: LevelEntry;
  readonly token: string | undefined;
  /** The time of the clock after which it is not to be carried out. */
  readonly latest: number;
  readonly offsets: Offsets;
}

/** What each server's time is ahead of that of this process, in milliseconds. */
type Offsets = ReadonlyMap<ServerTime, number>;

/** Makes records of entries, and stores them: within a second from the call, or never. */
export class RecordWriter {
  readonly #parts: RecordWriterParts;
  #report: Report | undefined;

  constructor(parts: RecordWriterParts) {
    this.#parts = parts;
  }

  /** Tells an operator by this from now on. */
  reportTo(report: Report): void {
    this.#report = report;
  }

  async write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Promise<Map<string, WriteOutcome>> {
    const latest = this.#parts.clock.now() + WRITE_WITHIN_MS;
    const known = this.#offsetsOf(entries.keys());
    const offsets = known instanceof Promise ? await known : known;
    const keys = [...entries.keys()];
    const writes = keys.map((key) => {
      return this.#write({
        key,
        entry: entries.get(key)!,
        token: tokens?.get(key),
        latest,
        offsets,
      });
    });
    try {
      const outcomes = await Promise.all(writes);
      return new Map(keys.map((key, at) => [key, outcomes[at]!]));
    } catch (error) {
      const settled = await Promise.allSettled(writes);
      // One that Redis has not answered may be carried out yet: from then on it is not.
      if (settled.some((one) => one.status === 'rejected' && !isSettled(one.reason)))
        await this.#until(latest);
      throw error;
    }
  }

  /** At once where all of them are known. */
  #offsetsOf(keys: Iterable<string>): Maybe<Offsets> {
    const { layout, times } = this.#parts;
    const offsets = new Map<ServerTime, Maybe<number>>();
    for (const key of keys) {
      const time = times.of(layout.bucketOf(key));
      if (!offsets.has(time)) offsets.set(time, time.offset());
    }
    for (const offset of offsets.values())
      if (offset instanceof Promise) return settledOffsets(offsets);
    return offsets as Map<ServerTime, number>;
  }

  async #write({ key, entry, token, latest, offsets }: Write): Promise<WriteOutcome> {
    const { codec, clock, driver, layout, times, invalidations, leases } = this.#parts;
    const bucket = layout.bucketOf(key);
    const time = times.of(bucket);
    const offset = offsets.get(time)!;
    const keepUntil = Math.min(entry.staleUntil, clock.now() + MAX_TTL_MS);
    const freshUntil = Math.min(entry.freshUntil, keepUntil) + offset;
    const staleUntil = keepUntil + offset;
    const keepMs = Math.ceil(keepUntil - clock.now());
    if (keepMs <= 0) return 'refused';
    const tags = entry.tags ?? [];
    // What a load has stored may be lost, what a set has replaced must not come back.
    if (token === undefined) invalidations.noteReplaced(key);
    const bytes = this.#encode(entry.value);
    if (bytes === undefined) return 'refused';
    const packed = compress(bytes);
    const payload = packed instanceof Promise ? await packed : packed;
    const record = encodeRecord(key, {
      freshUntil,
      staleUntil,
      loadMs: entry.loadMs,
      tags,
      codec: idOf(codec),
      payload,
    });
    const ends = digitsOf(freshUntil) + digitsOf(staleUntil);
    const terms =
      digitsOf(Math.floor(latest + time.leastOffset())) + ends + digitsOf(keepMs) + newNonce();
    const asked = driver.run(
      WRITE,
      [bucket.value(key), bucket.counters, bucket.lease(key), ...marksOf(bucket, key, tags)],
      [terms + (token ?? ''), record, ...invalidations.toldOf(bucket, ofKey(key))],
    );
    const answer = await asked.catch(unlessFull);
    const outcome = String(answer);
    // Its clock may be another one than that which was asked.
    if (outcome === 'late') time.forget();
    // The script has taken the lease away where it stored the entry.
    if (token !== undefined && outcome === 'stored') leases.forget(token);
    return outcome === 'stored' || outcome === 'fenced' ? outcome : 'refused';
  }

  /** Returns `undefined` for what the codec has no bytes for. */
  #encode(value: unknown): Buffer | undefined {
    try {
      const bytes: unknown = this.#parts.codec.encode(value);
      if (isUint8Array(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      // Nobody waits for a promise, nor hears of what it rejects with.
      Promise.resolve(bytes).catch(() => {});
      this.#tellOf(bytes);
    } catch {
      // It refuses the value.
    }
    return undefined;
  }

  #tellOf(got: unknown): void {
    const report = this.#report;
    this.#report = undefined;
    report?.({
      code: 'CACHE_CODEC_WITHOUT_BYTES',
      message:
        'The codec of the Redis level must return a Buffer or another Uint8Array from encode, and no promise of ' +
        `it; got ${kindOf(got)}. What it returns anything else for is not stored in Redis.`,
    });
  }

  #until(time: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => void clock.setTimer(resolve, Math.max(0, time - clock.now())));
  }
}

async function settledOffsets(offsets: ReadonlyMap<ServerTime, Maybe<number>>): Promise<Offsets> {
  const known = await Promise.all([...offsets.values()].map(async (offset) => offset));
  return new Map([...offsets.keys()].map((time, at) => [time, known[at]!]));
}

/** It may be the value in another form, so it is not shown. */
function kindOf(got: unknown): string {
  if (got instanceof Promise) return 'a promise';
  if (got === null || got === undefined) return String(got);
  return `one of type ${typeof got}`;
}

function digitsOf(time: number): string {
  return String(Math.ceil(time)).padStart(DIGITS, '0');
}
