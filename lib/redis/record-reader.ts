import type { Clock } from '../clock.js';
import type { LevelEntry } from '../levels/cache-level.js';
import { decompress, type Codec } from './codec.js';
import { namespacesOf, type Bucket } from './key-layout.js';
import { areUnchanged, marksOf } from './marks.js';
import { decodeRecord, type StoredRecord } from './record.js';
import type { RedisDriver } from './redis-driver.js';

/** What a {@link RecordReader} is made of. */
export interface RecordReaderParts {
  readonly driver: Pick<RedisDriver, 'mget'>;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** A key with what is stored under it. */
export interface Found {
  readonly key: string;
  readonly record: StoredRecord;
}

/** The most bytes that one value may take when it is decompressed. */
const MAX_VALUE_BYTES = 64 * 1_024 * 1_024;

/** Reads records with what they depend on, and makes entries of them. */
export class RecordReader {
  readonly #parts: RecordReaderParts;

  constructor(parts: RecordReaderParts) {
    this.#parts = parts;
  }

  /** The records of keys of one bucket that are valid; with tags it takes a second question. */
  async read(bucket: Bucket, keys: readonly string[]): Promise<Found[]> {
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
      areUnchanged(record.nonces, marksOf(bucket, key, record.tags), marks),
    );
  }

  /**
   * Makes an entry of a record; `undefined` where it has expired, or nothing can be made of it.
   *
   * @param offset Redis's time less that of this process
   */
  entryOf(record: StoredRecord, offset: number): LevelEntry | undefined {
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
}
