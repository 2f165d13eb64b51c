import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import {
  isLevelEntry,
  type Ack,
  type CacheLevel,
  type ChangeFeed,
  type ChangeListener,
  type DeleteMode,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type WriteOutcome,
} from '../levels/cache-level.js';
import { BucketOutages } from './bucket-outages.js';
import { compress, decompress, type Codec } from './codec.js';
import { ofClear, ofKey, ofTags, originOf } from './change-message.js';
import { KeyLayout, namespacesOf, type Bucket } from './key-layout.js';
import { decodeRecord, encodeRecord, type StoredRecord } from './record.js';
import type { RedisArgument } from './redis-connection.js';
import type { RedisDriver } from './redis-driver.js';
import { RecentChanges } from './recent-changes.js';
import { RedisChanges } from './redis-changes.js';
import { DELETE, DIGITS, EXTEND, INVALIDATE, LEASE, NONCE_LENGTH, WRITE } from './scripts.js';
import { ServerTime } from './server-time.js';

/** What a {@link RedisLevel} is made of. */
export interface RedisLevelParts {
  readonly driver: RedisDriver;
  readonly codec: Codec;
  readonly clock: Clock;
  /** What every key in Redis begins with. */
  readonly prefix: string;
  /** What this process is told apart by. */
  readonly source: string;
  /** For how long copies may be served without a proof that nothing was missed, in milliseconds. */
  readonly maxStaleMs: number;
  /** A loader that does not say for so long that it is still at it has lost its lease, in milliseconds. */
  readonly leaseMs: number;
}

/** For how long Redis keeps an entry at most, in milliseconds. */
const MAX_TTL_MS = 7 * 24 * 3_600_000;
/** Marks outlive every entry that was stored with them. */
const MARK_TTL_MS = MAX_TTL_MS + 24 * 3_600_000;
/** A write that Redis would carry out later than this after the call is not carried out. */
const WRITE_WITHIN_MS = 1_000;
/** The most bytes that one value may take when it is decompressed. */
const MAX_VALUE_BYTES = 64 * 1_024 * 1_024;

/** What there is of a key. */
interface Found {
  readonly key: string;
  readonly record: StoredRecord;
}

/** An entry on its way. */
interface Write {
  readonly key: string;
  readonly entry: LevelEntry;
  readonly token: string | undefined;
  readonly offset: number;
  /** The time of this process after which it is not to be carried out. */
  readonly latest: number;
}

/**
 * Redis or Valkey as a level. What it has survives the process, and is shared by all that use the same
 * server, prefix and name.
 *
 * Every change is one script in the key's bucket. A clear and a tag replace nonces, which entries are
 * compared with when they are read: both take the same time however much they concern, and losing a nonce
 * makes misses of what was stored with it.
 */
export class RedisLevel implements CacheLevel {
  readonly name = 'redis';
  readonly inProcess = false;
  readonly #parts: RedisLevelParts;
  readonly #layout: KeyLayout;
  readonly #time: ServerTime;
  readonly #recent: RecentChanges;
  /** For each lease under way what ends its timer. */
  readonly #leases = new Map<string, () => void>();
  readonly #outages: BucketOutages | undefined;
  #changes: RedisChanges | undefined;

  constructor(parts: RedisLevelParts, name: string) {
    this.#parts = parts;
    this.#recent = new RecentChanges(parts.clock);
    this.#outages = parts.driver.isCluster
      ? new BucketOutages(parts.clock, parts.driver)
      : undefined;
    this.#layout = new KeyLayout({ prefix: parts.prefix, name });
    this.#time = new ServerTime(parts.driver, parts.clock, this.#layout.buckets[0]!.counters);
  }

  async read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    if (keys.length === 0) return new Map();
    await this.#changes?.checked();
    const offset = await this.#time.offset();
    const groups = [...this.#grouped(keys)];
    const found = await Promise.all(
      groups.map(([bucket, own]) =>
        this.#unlessOut(bucket, () => this.#readBucket(bucket, own), []),
      ),
    );
    const entries = new Map<string, LevelEntry>();
    for (const { key, record } of found.flat()) {
      const entry = this.#entryOf(record, offset);
      if (entry !== undefined) entries.set(key, entry);
    }
    return entries;
  }

  async write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Promise<Map<string, WriteOutcome>> {
    if (entries.size === 0) return new Map();
    const offset = await this.#time.offset();
    const latest = this.#parts.clock.now() + WRITE_WITHIN_MS;
    const writes = [...entries].map(async ([key, entry]): Promise<[string, WriteOutcome]> => [
      key,
      await this.#write({ key, entry, token: tokens?.get(key), offset, latest }),
    ]);
    try {
      return new Map(await Promise.all(writes));
    } catch (error) {
      // One that has failed may be carried out yet: from then on it is not.
      await Promise.allSettled(writes);
      await this.#until(latest);
      throw error;
    }
  }

  async lease(key: string, mode?: LeaseMode): Promise<Lease> {
    const bucket = this.#layout.bucketOf(key);
    let isOver = false;
    const ask = async (): Promise<Lease> => {
      const lease = await this.#lease(bucket, key, mode);
      if (isOver && lease.state === 'load') lease.release();
      return lease;
    };
    try {
      return await this.#unlessOut(bucket, ask, { state: 'none' });
    } finally {
      isOver = true;
    }
  }

  async #lease(
    bucket: Bucket,
    key: string,
    { tags = [], force = false }: LeaseMode = {},
  ): Promise<Lease> {
    const { driver, leaseMs } = this.#parts;
    await this.#changes?.checked();
    const offset = await this.#time.offset();
    const nonce = newNonce();
    let rejected: RedisArgument = '';
    for (;;) {
      const [state, bytes, version, epoch, waitMs] = (await driver.run(
        LEASE,
        [bucket.value(key), bucket.lease(key), bucket.counters, ...marksOf(bucket, key, tags)],
        [nonce, String(leaseMs), rejected, force ? '1' : '0', nonce, String(MARK_TTL_MS)],
      )) as [Buffer, Buffer | null, Buffer, Buffer, number];
      if (String(state) === 'hit') {
        const [found] = await this.#readBucket(bucket, [key]);
        const entry = found && this.#entryOf(found.record, offset);
        if (isLevelEntry(entry) && entry.freshUntil > this.#parts.clock.now())
          return { state: 'hit', entry };
        // One that nobody can read, or that is not valid any more, is as good as none.
        rejected = bytes!.subarray(0, DIGITS);
      } else if (String(state) === 'load') {
        return this.#leased(
          bucket.lease(key),
          nonce,
          `${nonce} ${String(version)} ${String(epoch)}`,
        );
      } else {
        return String(state) === 'wait' ? { state: 'wait', waitMs } : { state: 'held' };
      }
    }
  }

  async delete(keys: readonly string[], mode?: DeleteMode): Promise<Ack> {
    for (const key of keys) this.#recent.note(ofKey(key), { kind: 'key', key });
    await Promise.all(keys.map((key) => this.#delete(key, mode)));
    return 'applied';
  }

  async invalidateTags(
    tags: readonly string[],
    { hold }: Pick<DeleteMode, 'hold'> = {},
  ): Promise<Ack> {
    this.#recent.note(ofTags(tags), { kind: 'tags', tags });
    await this.#invalidateTags(tags, hold);
    return 'applied';
  }

  async clear(namespace = ''): Promise<Ack> {
    this.#recent.note(ofClear(namespace), { kind: 'clear', prefix: namespace });
    await this.#clear(namespace);
    return 'applied';
  }

  scope(name: string): RedisLevel {
    return new RedisLevel(this.#parts, name);
  }

  follow(listener: ChangeListener): ChangeFeed {
    const { driver, clock, source, maxStaleMs } = this.#parts;
    const rewound = (): Promise<void> => this.#changeAgain();
    this.#changes = new RedisChanges({
      driver,
      clock,
      source,
      maxStaleMs,
      layout: this.#layout,
      listener,
      rewound,
    });
    return this.#changes;
  }

  async close(): Promise<void> {
    this.#parts.driver.close();
    for (const token of this.#leases.keys()) this.#forget(token);
  }

  #unlessOut<T>({ index }: Bucket, ask: () => Promise<T>, otherwise: T): Promise<T> {
    return this.#outages === undefined ? ask() : this.#outages.ask(index, ask, otherwise);
  }

  /** Keeps a lease until it is given back or used, as long as the process lives. */
  #leased(name: string, nonce: string, token: string): Lease {
    const { driver, clock, leaseMs } = this.#parts;
    const extend = (ms: number): void => {
      driver.run(EXTEND, [name], [nonce, String(ms)]).catch(() => {});
    };
    const arm = (): void => {
      const cancel = clock.setTimer(() => {
        extend(leaseMs);
        arm();
      }, leaseMs / 3);
      this.#leases.set(token, cancel);
    };
    arm();
    return { state: 'load', token, release: () => void (this.#forget(token) && extend(0)) };
  }

  /** Cares for a lease no more; returns whether it did. */
  #forget(token: string): boolean {
    this.#leases.get(token)?.();
    return this.#leases.delete(token);
  }

  /** A server that has lost what it acknowledged is told once more; rejects where it does not take that. */
  async #changeAgain(): Promise<void> {
    await Promise.all(
      this.#recent.list().map((change) => {
        if (change.kind === 'key') return this.#delete(change.key);
        return change.kind === 'tags'
          ? this.#invalidateTags(change.tags)
          : this.#clear(change.prefix);
      }),
    );
  }

  #delete(key: string, { hold = 0, expire = false }: DeleteMode = {}): Promise<unknown> {
    const bucket = this.#layout.bucketOf(key);
    const names = [bucket.value(key), bucket.lease(key), bucket.counters];
    const mode = [String(Math.ceil(hold)), expire ? '1' : '0'];
    return this.#parts.driver.run(DELETE, names, [...mode, ...this.#toldOf(bucket, ofKey(key))]);
  }

  #invalidateTags(tags: readonly string[], hold?: number): Promise<unknown> {
    return this.#invalidate((bucket) => tags.map((tag) => bucket.tag(tag)), ofTags(tags), hold);
  }

  #clear(namespace: string): Promise<unknown> {
    return this.#invalidate(
      (bucket) => [namespace === '' ? bucket.generation : bucket.namespace(namespace)],
      ofClear(namespace),
    );
  }

  async #readBucket(bucket: Bucket, keys: readonly string[]): Promise<Found[]> {
    const { driver } = this.#parts;
    const prefixes = [...new Set(keys.flatMap((key) => namespacesOf(key)))];
    const [generation, ...rest] = await driver.mget([
      bucket.generation,
      ...prefixes.map((prefix) => bucket.namespace(prefix)),
      ...keys.map((key) => bucket.value(key)),
    ]);
    const found = keys.flatMap((key, at) => {
      const bytes = rest[prefixes.length + at];
      const record = bytes && decodeRecord(key, bytes);
      return record ? [{ key, record }] : [];
    });
    const marks = new Map(prefixes.map((prefix, at) => [bucket.namespace(prefix), rest[at]]));
    const tags = [...new Set(found.flatMap(({ record }) => record.tags))].map((tag) =>
      bucket.tag(tag),
    );
    const tagMarks = tags.length === 0 ? [] : await driver.mget(tags);
    for (const [at, tag] of tags.entries()) marks.set(tag, tagMarks[at]);
    marks.set(bucket.generation, generation);
    return found.filter(({ key, record }) =>
      isValid(record, marksOf(bucket, key, record.tags), marks),
    );
  }

  #entryOf(record: StoredRecord, offset: number): LevelEntry | undefined {
    const { freshUntil, staleUntil, loadMs, tags, payload } = record;
    const { codec, clock } = this.#parts;
    // Times may be none.
    if (!(freshUntil <= staleUntil && staleUntil - offset > clock.now())) return undefined;
    try {
      return {
        value: codec.decode(decompress(payload, MAX_VALUE_BYTES)),
        bornAt: -Infinity,
        freshUntil: freshUntil - offset,
        staleUntil: staleUntil - offset,
        loadMs,
        tags: tags.length === 0 ? undefined : tags,
      };
    } catch {
      // Bytes that are none of ours are a miss.
      return undefined;
    }
  }

  async #write({ key, entry, token, offset, latest }: Write): Promise<WriteOutcome> {
    const { codec, clock, driver } = this.#parts;
    const bucket = this.#layout.bucketOf(key);
    const keepUntil = Math.min(entry.staleUntil, clock.now() + MAX_TTL_MS);
    const freshUntil = Math.min(entry.freshUntil, keepUntil) + offset;
    const staleUntil = keepUntil + offset;
    const keepMs = Math.ceil(keepUntil - clock.now());
    if (keepMs <= 0) return 'refused';
    const tags = entry.tags ?? [];
    // What a load has stored may be lost, what a set has replaced must not come back.
    if (token === undefined) this.#recent.note(ofKey(key), { kind: 'key', key });
    const payload = compress(codec.encode(entry.value));
    const record = encodeRecord(key, {
      freshUntil,
      staleUntil,
      loadMs: entry.loadMs,
      tags,
      payload,
    });
    const answer = await driver.run(
      WRITE,
      [bucket.value(key), bucket.lease(key), bucket.counters, ...marksOf(bucket, key, tags)],
      [
        ...leasedWith(token),
        String(latest + offset),
        String(Math.ceil(freshUntil)),
        String(Math.ceil(staleUntil)),
        String(keepMs),
        newNonce(),
        String(MARK_TTL_MS),
        record,
        ...this.#toldOf(bucket, ofKey(key)),
      ],
    );
    const outcome = String(answer);
    // The script has taken the lease away where it stored the entry.
    if (token !== undefined && outcome === 'stored') this.#forget(token);
    return outcome === 'stored' || outcome === 'fenced' ? outcome : 'refused';
  }

  #invalidate(marksIn: (bucket: Bucket) => string[], change: string, hold = 0): Promise<unknown> {
    const args = [newNonce(), String(Math.ceil(hold)), String(MARK_TTL_MS)];
    return Promise.all(
      this.#layout.buckets.map((bucket) =>
        this.#parts.driver.run(
          INVALIDATE,
          [bucket.counters, ...marksIn(bucket)],
          [...args, ...this.#toldOf(bucket, change)],
        ),
      ),
    );
  }

  /** What a script tells the other processes. */
  #toldOf(bucket: Bucket, change: string): [change: string, channel: string, origin: string] {
    return [change, this.#layout.channel, originOf(this.#parts.source, bucket.index)];
  }

  #grouped(keys: readonly string[]): Map<Bucket, string[]> {
    const groups = new Map<Bucket, string[]>();
    for (const key of new Set(keys)) {
      const bucket = this.#layout.bucketOf(key);
      const group = groups.get(bucket);
      if (group === undefined) groups.set(bucket, [key]);
      else group.push(key);
    }
    return groups;
  }

  #until(time: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => void clock.setTimer(resolve, Math.max(0, time - clock.now())));
  }
}

/** What an entry depends on, in the order of its nonces. */
function marksOf(bucket: Bucket, key: string, tags: readonly string[]): string[] {
  return [
    bucket.generation,
    ...namespacesOf(key).map((prefix) => bucket.namespace(prefix)),
    ...tags.map((tag) => bucket.tag(tag)),
  ];
}

/** Whether nothing that an entry depends on was invalidated, or lost, since it was stored. */
function isValid(
  { nonces }: StoredRecord,
  names: readonly string[],
  marks: ReadonlyMap<string, Buffer | null | undefined>,
): boolean {
  return (
    nonces.length === names.length &&
    names.every((name, at) => marks.get(name)?.toString('latin1', 0, NONCE_LENGTH) === nonces[at])
  );
}

/** What a script is told of a lease; a set or update has none. */
function leasedWith(token: string | undefined): [token: string, version: string, epoch: string] {
  const [nonce = '', version = '0', epoch = ''] = token?.split(' ') ?? [];
  return [nonce, version, epoch];
}

function newNonce(): string {
  return randomBytes((NONCE_LENGTH * 3) / 4).toString('base64url');
}
