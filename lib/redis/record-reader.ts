import type { Clock } from '../clock.js';
import type { LevelEntry, Maybe } from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { decompress, idOf, type Codec } from './codec.js';
import type { KeyLayout } from './key-layout.js';
import { areUnchanged, marksOf } from './marks.js';
import { decodeRecord, type StoredRecord } from './record.js';
import type { RedisDriver } from './redis-driver.js';

/** What a {@link RecordReader} is made of. */
export interface RecordReaderParts {
  readonly driver: Pick<RedisDriver, 'mget'>;
  readonly layout: KeyLayout;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** What is stored under a key, and what the marks are now that it depends on. */
interface Found {
  readonly key: string;
  readonly record: StoredRecord;
  readonly marks: (Buffer | null | undefined)[];
}

/** Where the answers of a key are. */
interface Places {
  readonly value: number;
  readonly marks: readonly number[];
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

  /** How often something was found that nothing could be made of. */
  get undecodable(): number {
    return this.#undecodable;
  }

  /** Tells an operator by this from now on. */
  reportTo(report: Report): void {
    this.#report = report;
  }

  /**
   * The entries of keys that are valid, all in one question; with tags it takes a second one.
   *
   * @param keys of one bucket where it is a Cluster
   * @param offset Redis's time less that of this process
   */
  read(keys: readonly string[], offset: number): Promise<Map<string, LevelEntry>> {
    return keys.length === 1 ? this.#readOne(keys[0]!, offset) : this.#readMany(keys, offset);
  }

  /** What most calls ask for, without what only many keys need. */
  async #readOne(key: string, offset: number): Promise<Map<string, LevelEntry>> {
    const { driver, layout } = this.#parts;
    const bucket = layout.bucketOf(key);
    const [bytes, ...marks] = await driver.mget([bucket.value(key), ...marksOf(bucket, key, [])]);
    const record = this.#recordOf(key, bytes);
    if (record === undefined) return new Map();
    const found = [{ key, record, marks }];
    if (record.tags.length > 0) await this.#readTags(found);
    return this.#entriesOf(found, offset);
  }

  async #readMany(keys: readonly string[], offset: number): Promise<Map<string, LevelEntry>> {
    const question = new Question();
    const places = keys.map((key) => this.#ask(question, key));
    const answers = await this.#parts.driver.mget(question.names);
    const found: Found[] = [];
    for (let at = 0; at < keys.length; at++) {
      const { value, marks } = places[at]!;
      const record = this.#recordOf(keys[at]!, answers[value]);
      if (record === undefined) continue;
      found.push({ key: keys[at]!, record, marks: marks.map((place) => answers[place]) });
    }
    if (found.some(({ record }) => record.tags.length > 0)) await this.#readTags(found);
    return this.#entriesOf(found, offset);
  }

  #ask(question: Question, key: string): Places {
    const bucket = this.#parts.layout.bucketOf(key);
    const marks = marksOf(bucket, key, []).map((name) => question.ask(name));
    return { value: question.names.push(bucket.value(key)) - 1, marks };
  }

  #recordOf(key: string, bytes: Buffer | null | undefined): StoredRecord | undefined {
    if (!bytes) return undefined;
    const record = decodeRecord(key, bytes);
    if (record === undefined) this.#undecodable += 1;
    return record;
  }

  /** Adds the marks of tags to those that records depend on. */
  async #readTags(found: readonly Found[]): Promise<void> {
    const { driver, layout } = this.#parts;
    const question = new Question();
    const places = found.map(({ key, record }) =>
      record.tags.map((tag) => question.ask(layout.bucketOf(key).tag(tag))),
    );
    const answers = await driver.mget(question.names);
    for (const [at, { marks }] of found.entries())
      for (const place of places[at]!) marks.push(answers[place]);
  }

  /** Makes entries of records; a long one takes a while. */
  #entriesOf(found: readonly Found[], offset: number): Maybe<Map<string, LevelEntry>> {
    const entries = new Map<string, LevelEntry>();
    const long: Promise<void>[] = [];
    for (const { key, record, marks } of found) {
      if (!areUnchanged(record.nonces, marks)) continue;
      const entry = this.#entryOf(record, offset);
      if (entry instanceof Promise)
        long.push(entry.then((made) => void (made && entries.set(key, made))));
      else if (entry !== undefined) entries.set(key, entry);
    }
    return long.length === 0 ? entries : Promise.all(long).then(() => entries);
  }

  /** Makes an entry of a record; `undefined` where it has expired, or nothing can be made of it. */
  #entryOf(record: StoredRecord, offset: number): Maybe<LevelEntry | undefined> {
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
