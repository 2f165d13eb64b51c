import type { Clock } from '../clock.js';
import type { LevelEntry, Maybe } from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { decompress, idOf, type Codec } from './codec.js';
import { namespacesOf, type KeyLayout } from './key-layout.js';
import { areUnchanged } from './marks.js';
import { decodeRecord, type StoredRecord } from './record.js';
import type { RedisDriver } from './redis-driver.js';

/** What a {@link RecordReader} is made of. */
export interface RecordReaderParts {
  readonly driver: Pick<RedisDriver, 'mget'>;
  readonly layout: KeyLayout;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** A key with what is stored under it. */
export interface Found {
  readonly key: string;
  readonly record: StoredRecord;
}

interface Marked extends Found {
  /** What the marks are now that it depends on. */
  readonly marks: (Buffer | null | undefined)[];
}

/** The most bytes that one value may take when it is decompressed. */
const MAX_VALUE_BYTES = 64 * 1_024 * 1_024;

/** Names to ask for in one question, each once. */
class Question {
  readonly names: string[] = [];
  readonly #places = new Map<string, number>();

  /** Returns where the answer to a name will be. */
  ask(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.names.push(name) - 1;
      this.#places.set(name, place);
    }
    return place;
  }
}

/**
 * Reads records with what they depend on, and makes entries of them. Of what is no record, or not of its
 * codec, nothing is made; of another codec an operator is told once.
 */
export class RecordReader {
  readonly #parts: RecordReaderParts;
  #report: Report | undefined;
  #undecodable = 0;

  constructor(parts: RecordReaderParts) {
    this.#parts = parts;
  }

  /**
   * The records of keys that are valid, all in one question; with tags it takes a second one.
   *
   * @param keys of one bucket where it is a Cluster
   */
  async read(keys: readonly string[]): Promise<readonly Found[]> {
    const { driver, layout } = this.#parts;
    const question = new Question();
    const places = keys.map((key) => {
      const bucket = layout.bucketOf(key);
      const marks = [question.ask(bucket.generation)];
      for (const prefix of namespacesOf(key)) marks.push(question.ask(bucket.namespace(prefix)));
      return { marks, value: question.names.push(bucket.value(key)) - 1 };
    });
    const answers = await driver.mget(question.names);
    const found: Marked[] = [];
    for (let at = 0; at < keys.length; at++) {
      const bytes = answers[places[at]!.value];
      if (!bytes) continue;
      const record = decodeRecord(keys[at]!, bytes);
      if (record === undefined) {
        this.#undecodable += 1;
        continue;
      }
      const marks = places[at]!.marks.map((place) => answers[place]);
      found.push({ key: keys[at]!, record, marks });
    }
    if (found.some(({ record }) => record.tags.length > 0)) await this.#readTags(found);
    return found.filter(({ record, marks }) => areUnchanged(record.nonces, marks));
  }

  /** Adds the marks of tags to those that records depend on. */
  async #readTags(found: readonly Marked[]): Promise<void> {
    const { driver, layout } = this.#parts;
    const question = new Question();
    const places = found.map(({ key, record }) =>
      record.tags.map((tag) => question.ask(layout.bucketOf(key).tag(tag))),
    );
    const answers = await driver.mget(question.names);
    for (const [at, { marks }] of found.entries())
      for (const place of places[at]!) marks.push(answers[place]);
  }

  /** How often something was found that nothing could be made of. */
  get undecodable(): number {
    return this.#undecodable;
  }

  /** Tells an operator by this from now on. */
  reportTo(report: Report): void {
    this.#report = report;
  }

  /**
   * Makes an entry of a record; `undefined` where it has expired, or nothing can be made of it. A long one
   * takes a while.
   *
   * @param offset Redis's time less that of this process
   */
  entryOf(record: StoredRecord, offset: number): Maybe<LevelEntry | undefined> {
    const { freshUntil, staleUntil, payload } = record;
    const { codec, clock } = this.#parts;
    // Times may be none.
    if (!(freshUntil <= staleUntil)) {
      this.#undecodable += 1;
      return undefined;
    }
    if (!(staleUntil - offset > clock.now())) return undefined;
    if (record.codec !== idOf(codec)) {
      this.#undecodable += 1;
      this.#tellOf(record.codec);
      return undefined;
    }
    try {
      const bytes = decompress(payload, MAX_VALUE_BYTES);
      if (bytes instanceof Promise) return this.#decodeSoon(bytes, record, offset);
      return entryFrom(codec.decode(bytes), record, offset);
    } catch {
      // Bytes that are none of ours are a miss.
      this.#undecodable += 1;
      return undefined;
    }
  }

  async #decodeSoon(
    bytes: Promise<Buffer>,
    record: StoredRecord,
    offset: number,
  ): Promise<LevelEntry | undefined> {
    try {
      return entryFrom(this.#parts.codec.decode(await bytes), record, offset);
    } catch {
      this.#undecodable += 1;
      return undefined;
    }
  }

  #tellOf(other: string): void {
    const report = this.#report;
    this.#report = undefined;
    report?.({
      code: 'CACHE_CODEC_DIFFERS',
      message:
        `Redis has entries of ${showCodec(other)}, and this cache has ` +
        `${showCodec(idOf(this.#parts.codec))}: they are misses. Each replaces the entries of the other: give all processes that ` +
        'share the cache the same codec, or another name. If this is an upgrade it ends by itself.',
    });
  }
}

function entryFrom(value: unknown, record: StoredRecord, offset: number): LevelEntry {
  const { freshUntil, staleUntil, loadMs, tags } = record;
  return {
    value,
    bornAt: -Infinity,
    freshUntil: freshUntil - offset,
    staleUntil: staleUntil - offset,
    loadMs,
    tags: tags.length === 0 ? undefined : tags,
  };
}

function showCodec(id: string): string {
  return id === '' ? 'a codec without an id' : `the codec '${id}'`;
}
