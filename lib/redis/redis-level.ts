import type { Clock } from '../clock.js';
import { InvalidArgumentError } from '../errors.js';
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
  type OwnLevelMetrics,
  type WriteOutcome,
} from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { BucketOutages } from './bucket-outages.js';
import { ofKey } from './change-message.js';
import { compress, idOf, type Codec } from './codec.js';
import { KeyLayout, type Bucket } from './key-layout.js';
import { LeaseKeeper } from './lease-keeper.js';
import { MARK_TTL_MS, marksOf, MAX_TTL_MS, newNonce } from './marks.js';
import { encodeRecord } from './record.js';
import { RecordReader, type Found } from './record-reader.js';
import { RedisChanges } from './redis-changes.js';
import type { RedisArgument } from './redis-connection.js';
import { isRefusal, type RedisDriver } from './redis-driver.js';
import { RedisInvalidations } from './redis-invalidations.js';
import { DIGITS, LEASE, WRITE } from './scripts.js';
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

/** A write that Redis would carry out later than this after the call is not carried out. */
const WRITE_WITHIN_MS = 1_000;

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

/** An entry on its way. */
interface Write {
  readonly key: string;
  readonly entry: LevelEntry;
  readonly token: string | undefined;
  readonly offset: number;
  /** The time of Redis after which it is not to be carried out. */
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
  /** What the cache is called in Redis. */
  readonly #scope: string;
  readonly #layout: KeyLayout;
  readonly #time: ServerTime;
  readonly #records: RecordReader;
  readonly #invalidations: RedisInvalidations;
  readonly #leases: LeaseKeeper;
  readonly #outages: BucketOutages | undefined;
  #changes: RedisChanges | undefined;

  constructor(parts: RedisLevelParts, name: string, leases = new LeaseKeeper(parts)) {
    this.#parts = parts;
    this.#scope = name;
    this.#outages = parts.driver.isCluster
      ? new BucketOutages(parts.clock, parts.driver)
      : undefined;
    this.#layout = new KeyLayout({ prefix: parts.prefix, name });
    this.#records = new RecordReader({ ...parts, layout: this.#layout });
    this.#invalidations = new RedisInvalidations({ ...parts, layout: this.#layout });
    this.#leases = leases;
    this.#time = new ServerTime(parts.driver, parts.clock, this.#layout.buckets[0]!.counters);
  }

  async read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    const entries = new Map<string, LevelEntry>();
    if (keys.length === 0) return entries;
    const checked = this.#changes?.checked();
    if (checked !== undefined) await checked;
    const known = this.#time.offset();
    const offset = typeof known === 'number' ? known : await known;
    const found = await this.#find(keys);
    const made = found.map(({ record }) => this.#records.entryOf(record, offset));
    for (const [at, { key }] of found.entries()) {
      const one = made[at];
      const entry = one instanceof Promise ? await one : one;
      if (entry !== undefined) entries.set(key, entry);
    }
    return entries;
  }

  async write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Promise<Map<string, WriteOutcome>> {
    if (entries.size === 0) return new Map();
    const latest = this.#parts.clock.now() + WRITE_WITHIN_MS;
    const offset = await this.#time.offset();
    const latestThere = latest + this.#time.leastOffset();
    const writes = [...entries].map(async ([key, entry]): Promise<[string, WriteOutcome]> => [
      key,
      await this.#write({ key, entry, token: tokens?.get(key), offset, latest: latestThere }),
    ]);
    try {
      return new Map(await Promise.all(writes));
    } catch (error) {
      const settled = await Promise.allSettled(writes);
      // One that Redis has not answered may be carried out yet: from then on it is not.
      if (settled.some((one) => one.status === 'rejected' && !isRefusal(one.reason)))
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
      const asked = driver.run(
        LEASE,
        [bucket.value(key), bucket.lease(key), bucket.counters, ...marksOf(bucket, key, tags)],
        [nonce, String(leaseMs), rejected, force ? '1' : '0', nonce, String(MARK_TTL_MS)],
      );
      // It may have been given all the same.
      asked.catch(() => void this.#leases.giveBack(bucket.lease(key), nonce));
      const answer = await asked.catch(unlessFull);
      if (answer === FULL) return { state: 'none' };
      const [state, bytes, version, epoch, waitMs] = answer as LeaseAnswer;
      if (String(state) === 'hit') {
        const [found] = await this.#records.read([key]);
        const entry = found && (await this.#records.entryOf(found.record, offset));
        if (isLevelEntry(entry) && entry.freshUntil > this.#parts.clock.now())
          return { state: 'hit', entry };
        // One that nobody can read, or that is not valid any more, is as good as none.
        rejected = bytes!.subarray(0, DIGITS);
      } else if (String(state) === 'load') {
        return this.#leases.keep(
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
  }

  getMetrics(): Partial<OwnLevelMetrics> {
    return { undecodable: this.#records.undecodable, ...this.#changes?.getMetrics() };
  }

  follow(listener: ChangeListener): ChangeFeed {
    const { driver, clock, source, maxStaleMs } = this.#parts;
    const rewound = (): Promise<void> => this.#invalidations.repeat();
    this.#changes = new RedisChanges({
      driver,
      clock,
      source,
      maxStaleMs,
      layout: this.#layout,
      listener,
      rewound,
      confirmed: (at) => this.#invalidations.confirm(at),
    });
    return this.#changes;
  }

  async close(): Promise<void> {
    await this.#leases.close();
    this.#parts.driver.close();
  }

  #unlessOut<T>({ index }: Bucket, ask: () => Promise<T>, otherwise: T): Promise<T> {
    return this.#outages === undefined ? ask() : this.#outages.ask(index, ask, otherwise);
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
    if (token === undefined) this.#invalidations.noteReplaced(key);
    const bytes = tryEncode(codec, entry.value);
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
    const asked = driver.run(
      WRITE,
      [bucket.value(key), bucket.lease(key), bucket.counters, ...marksOf(bucket, key, tags)],
      [
        ...leasedWith(token),
        String(latest),
        String(Math.ceil(freshUntil)),
        String(Math.ceil(staleUntil)),
        String(keepMs),
        newNonce(),
        String(MARK_TTL_MS),
        record,
        ...this.#invalidations.toldOf(bucket, ofKey(key)),
      ],
    );
    const answer = await asked.catch(unlessFull);
    const outcome = String(answer);
    // The script has taken the lease away where it stored the entry.
    if (token !== undefined && outcome === 'stored') this.#leases.forget(token);
    return outcome === 'stored' || outcome === 'fenced' ? outcome : 'refused';
  }

  /** One server answers a question about all keys, those of a Cluster each one about those of a bucket. */
  #find(keys: readonly string[]): Promise<readonly Found[]> {
    const isOne = this.#outages === undefined && keys.length <= MAX_KEYS;
    return isOne ? this.#records.read(keys) : this.#findByBucket(keys);
  }

  async #findByBucket(keys: readonly string[]): Promise<readonly Found[]> {
    const found = await Promise.all(
      this.#groupsOf(keys).map(([bucket, own]) =>
        this.#unlessOut(bucket, () => this.#records.read(own), []),
      ),
    );
    return found.flat();
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

  #until(time: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => void clock.setTimer(resolve, Math.max(0, time - clock.now())));
  }
}

/** Returns `undefined` for what the codec has no bytes for. */
function tryEncode(codec: Codec, value: unknown): Buffer | undefined {
  try {
    return codec.encode(value);
  } catch {
    return undefined;
  }
}

/** What stands for the answer of a server that has no memory left for more. */
const FULL = 'full';

/** @throws the error, if it says anything else than that the server is full */
function unlessFull(error: unknown): typeof FULL {
  if (isRefusal(error) && error.message.startsWith('OOM ')) return FULL;
  throw error;
}

/** What a script is told of a lease; a set or update has none. */
function leasedWith(token: string | undefined): [token: string, version: string, epoch: string] {
  const [nonce = '', version = '0', epoch = ''] = token?.split(' ') ?? [];
  return [nonce, version, epoch];
}
