import type { Clock } from '../clock.js';
import { InvalidArgumentError } from '../errors.js';
import {
  isLevelEntry,
  type Ack,
  type CacheLevel,
  type DeleteMode,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type OwnLevelMetrics,
  type WriteOutcome,
} from '../levels/cache-level.js';
import type { ChangeFeed, ChangeListener } from '../levels/change-feed.js';
import type { Report } from '../report.js';
import type { Codec } from './codec.js';
import { KeyLayout, type Bucket } from './key-layout.js';
import { LeaseKeeper } from './lease-keeper.js';
import { marksOf, newNonce } from './marks.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';
import { RedisChanges } from './redis-changes.js';
import type { RedisArgument } from './redis-connection.js';
import type { RedisDriver } from './redis-driver.js';
import { RedisInvalidations } from './redis-invalidations.js';
import { FULL, isSettled, unlessFull } from './refusals.js';
import { DIGITS, LEASE } from './scripts.js';
import { ServerTimes } from './server-time.js';

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

/** More keys are asked for bucket by bucket: one command that takes long keeps all others waiting. */
const MAX_KEYS = 1_000;

/** What the script of a lease answers. */
type LeaseAnswer = [
  state: Buffer,
  bytes: Buffer | null,
  version: Buffer,
  epoch: Buffer,
  waitMs: number,
];

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
  /** In a Cluster each bucket can be away by itself. */
  readonly partOf?: (key: string) => number;
  readonly #parts: RedisLevelParts;
  /** What the cache is called in Redis. */
  readonly #scope: string;
  readonly #layout: KeyLayout;
  readonly #times: ServerTimes;
  readonly #records: RecordReader;
  readonly #writer: RecordWriter;
  readonly #invalidations: RedisInvalidations;
  readonly #leases: LeaseKeeper;
  #changes: RedisChanges | undefined;

  constructor(parts: RedisLevelParts, name: string, leases = new LeaseKeeper(parts)) {
    this.#parts = parts;
    this.#scope = name;
    this.#layout = new KeyLayout({ prefix: parts.prefix, name });
    if (parts.driver.isCluster) this.partOf = (key) => this.#layout.indexOf(key);
    this.#records = new RecordReader({ ...parts, layout: this.#layout });
    this.#invalidations = new RedisInvalidations({ ...parts, layout: this.#layout });
    this.#leases = leases;
    this.#times = new ServerTimes(parts.driver, parts.clock, this.#layout.buckets);
    this.#writer = new RecordWriter({
      ...parts,
      layout: this.#layout,
      times: this.#times,
      invalidations: this.#invalidations,
      leases,
    });
  }

  read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    if (keys.length === 0) return Promise.resolve(new Map());
    // One server answers a question about all keys, those of a Cluster each one about those of a bucket.
    const isOne = !this.#parts.driver.isCluster && keys.length <= MAX_KEYS;
    return isOne ? this.#readOf(keys) : this.#readByBucket(keys);
  }

  write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Promise<Map<string, WriteOutcome>> {
    return this.#writer.write(entries, tokens);
  }

  async lease(key: string, { tags = [], force = false }: LeaseMode = {}): Promise<Lease> {
    const bucket = this.#layout.bucketOf(key);
    const { driver, leaseMs } = this.#parts;
    await this.#changes?.checked(bucket.index);
    const offset = await this.#times.of(bucket).offset();
    const token = newNonce();
    let rejected: RedisArgument = '';
    for (;;) {
      const asked = driver.run(
        LEASE,
        [bucket.value(key), bucket.counters, bucket.lease(key), ...marksOf(bucket, key, tags)],
        [token, String(leaseMs), rejected, force ? '1' : '0'],
      );
      asked.catch((error: unknown) => {
        // It may have been given all the same.
        if (!isSettled(error)) void this.#leases.giveBack(bucket.lease(key), token);
      });
      const answer = await asked.catch(unlessFull);
      if (answer === FULL) return { state: 'none' };
      const [state, bytes, version, epoch, waitMs] = answer as LeaseAnswer;
      if (String(state) === 'hit') {
        const entry = (await this.#records.read([key], offset)).get(key);
        if (isLevelEntry(entry) && entry.freshUntil > this.#parts.clock.now())
          return { state: 'hit', entry };
        // One that nobody can read, or that is not valid any more, is as good as none.
        rejected = bytes!.subarray(0, DIGITS);
      } else if (String(state) === 'load') {
        return this.#leases.keep(
          bucket.lease(key),
          token,
          `${token} ${String(version)} ${String(epoch)}`,
        );
      } else {
        return String(state) === 'wait' ? { state: 'wait', waitMs } : { state: 'held' };
      }
    }
  }

  async delete(keys: readonly string[], mode?: DeleteMode): Promise<Ack> {
    await this.#invalidations.delete(keys, mode);
    return 'applied';
  }

  async invalidateTags(
    tags: readonly string[],
    { hold }: Pick<DeleteMode, 'hold'> = {},
  ): Promise<Ack> {
    await this.#invalidations.invalidateTags(tags, hold);
    return 'applied';
  }

  async clear(namespace = ''): Promise<Ack> {
    await this.#invalidations.clear(namespace);
    return 'applied';
  }

  /** @throws {InvalidArgumentError} for its own name: two caches would find and clear each other's entries */
  scope(name: string): RedisLevel {
    if (name === this.#scope)
      throw new InvalidArgumentError(
        `"${name}" is what the level itself is called in Redis: give the named cache another name, or ` +
          'redisLevel one by its option name.',
      );
    return new RedisLevel(this.#parts, name, this.#leases);
  }

  reportTo(report: Report): void {
    this.#records.reportTo(report);
    this.#writer.reportTo(report);
  }

  getMetrics(): Partial<OwnLevelMetrics> {
    return { undecodable: this.#records.undecodable, ...this.#changes?.getMetrics() };
  }

  follow(listener: ChangeListener): ChangeFeed {
    const { driver, clock, source, maxStaleMs } = this.#parts;
    this.#changes = new RedisChanges({
      driver,
      clock,
      source,
      maxStaleMs,
      layout: this.#layout,
      listener,
      retelling: this.#invalidations.retelling,
      replaced: (bucket) => this.#times.of(this.#layout.buckets[bucket]!).forget(),
      confirmed: (at) => this.#invalidations.confirm(at),
    });
    return this.#changes;
  }

  async close(): Promise<void> {
    await this.#leases.close();
    this.#parts.driver.close();
  }

  async #readByBucket(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    const found = await Promise.all(
      this.#groupsOf(keys).map(([bucket, own]) => this.#readOf(own, bucket)),
    );
    const all = new Map<string, LevelEntry>();
    for (const entries of found) for (const [key, entry] of entries) all.set(key, entry);
    return all;
  }

  /** @param bucket the one that all keys are in, where there is one */
  #readOf(keys: readonly string[], bucket?: Bucket): Promise<Map<string, LevelEntry>> {
    const records = this.#records;
    const time = this.#times.of(bucket ?? this.#layout.buckets[0]!);
    const checked = this.#changes?.checked(bucket?.index);
    // Each promise less is felt here.
    const offset = checked === undefined ? time.offset() : checked.then(() => time.offset());
    if (typeof offset === 'number') return records.read(keys, offset);
    return offset.then((known) => records.read(keys, known));
  }

  #groupsOf(keys: readonly string[]): [Bucket, string[]][] {
    const groups = new Map<Bucket, string[]>();
    for (const key of keys) {
      const bucket = this.#layout.bucketOf(key);
      const group = groups.get(bucket);
      if (group === undefined) groups.set(bucket, [key]);
      else group.push(key);
    }
    return [...groups];
  }
}
