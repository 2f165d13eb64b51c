import { crc32 } from 'node:zlib';
import { COUNT_DIGITS, DIGITS, NONCE_LENGTH } from './scripts.js';
import type { Packed } from './codec.js';

/** An entry as it is stored: times are milliseconds by Redis's clock. */
export interface RecordContent {
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly loadMs: number | undefined;
  readonly tags: readonly string[];
  readonly payload: Packed;
}

/** A record, and what scripts have written before it. */
export interface StoredRecord extends RecordContent {
  readonly version: string;
  /** Of the generation, the namespaces and the tags, in this order. */
  readonly nonces: readonly string[];
}

const FORMAT = 1;
const COMPRESSED = 1;
const HAS_LOAD_TIME = 2;

/* checksum 4, format 1, flags 1, fresh until 8, stale until 8, load time 4, number of tags 1, then for each tag
   its length 2 and its text, the payload last. */
const CHECKED_FROM = 4;
const TAGS_AT = 27;

const HEAD_LENGTH = 3 * DIGITS + COUNT_DIGITS;

/** Makes a record; the checksum is of the key, too, so that the bytes of another key are none. */
export function encodeRecord(key: string, content: RecordContent): Buffer {
  const { freshUntil, staleUntil, loadMs, payload } = content;
  const tags = content.tags.map((tag) => Buffer.from(tag));
  const length = tags.reduce((sum, tag) => sum + 2 + tag.length, TAGS_AT);
  const record = Buffer.allocUnsafe(length + payload.bytes.length);
  record[4] = FORMAT;
  record[5] = (payload.isCompressed ? COMPRESSED : 0) | (loadMs === undefined ? 0 : HAS_LOAD_TIME);
  record.writeDoubleBE(freshUntil, 6);
  record.writeDoubleBE(staleUntil, 14);
  record.writeFloatBE(loadMs ?? 0, 22);
  record[26] = tags.length;
  let at = TAGS_AT;
  for (const tag of tags) {
    at = record.writeUInt16BE(tag.length, at);
    at += tag.copy(record, at);
  }
  payload.bytes.copy(record, at);
  record.writeUInt32BE(checksumOf(key, record), 0);
  return record;
}

/** Reads what is stored under a key; `undefined` for anything that this package did not write there. */
export function decodeRecord(key: string, stored: Buffer): StoredRecord | undefined {
  if (stored.length < HEAD_LENGTH) return undefined;
  const head = stored.toString('latin1', 0, HEAD_LENGTH);
  if (!/^\d+$/.test(head)) return undefined;
  const count = Number(head.slice(3 * DIGITS));
  const recordAt = HEAD_LENGTH + count * NONCE_LENGTH;
  const record = stored.subarray(recordAt);
  if (record.length < TAGS_AT || record[4] !== FORMAT) return undefined;
  if (record.readUInt32BE(0) !== checksumOf(key, record)) return undefined;
  const [tags, payloadAt] = readTags(record);
  if (payloadAt > record.length) return undefined;
  const flags = record[5]!;
  // What `expire` has changed stands in the head; the checksum does not cover that, so it only shortens.
  return {
    version: head.slice(0, DIGITS),
    freshUntil: Math.min(record.readDoubleBE(6), Number(head.slice(DIGITS, 2 * DIGITS))),
    staleUntil: Math.min(record.readDoubleBE(14), Number(head.slice(2 * DIGITS, 3 * DIGITS))),
    loadMs: (flags & HAS_LOAD_TIME) === 0 ? undefined : record.readFloatBE(22),
    nonces: Array.from({ length: count }, (_, index) =>
      stored.toString(
        'latin1',
        HEAD_LENGTH + index * NONCE_LENGTH,
        HEAD_LENGTH + (index + 1) * NONCE_LENGTH,
      ),
    ),
    tags,
    payload: { bytes: record.subarray(payloadAt), isCompressed: (flags & COMPRESSED) !== 0 },
  };
}

/** Where there is less than it says the end is beyond that of the record. */
function readTags(record: Buffer): [tags: string[], end: number] {
  const tags: string[] = [];
  let at = TAGS_AT;
  for (let left = record[26]!; left > 0; left--) {
    if (at + 2 > record.length) return [tags, Infinity];
    const length = record.readUInt16BE(at);
    tags.push(record.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return [tags, at];
}

function checksumOf(key: string, record: Buffer): number {
  return crc32(record.subarray(CHECKED_FROM), crc32(key));
}
