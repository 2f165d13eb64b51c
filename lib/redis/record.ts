import { crc32 } from 'node:zlib';
import { COUNT_DIGITS, DIGITS, NONCE_LENGTH } from './scripts.js';
import type { Packed } from './codec.js';

/** An entry as it is stored: times are milliseconds by Redis's clock. */
export interface RecordContent {
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly loadMs: number | undefined;
  readonly tags: readonly string[];
  /** The id of the codec that has made the payload. */
  readonly codec: string;
  readonly payload: Packed;
}

/** A record, and what scripts have written before it. */
export interface StoredRecord extends RecordContent {
  /** Of the generation, the namespaces and the tags, one behind the other in this order. */
  readonly nonces: Buffer;
}

const FORMAT = 2;
const COMPRESSED = 1;
const HAS_LOAD_TIME = 2;

/* checksum 4, format 1, flags 1, fresh until 8, stale until 8, load time 4, number of tags 1, then for each tag
   its length 2 and its text, the codec's id in the same way with a length of 1, the payload last. */
const CHECKED_FROM = 4;
const TAGS_AT = 27;

const NO_TAGS: readonly string[] = [];
const DIGIT_0 = 0x30;
const HEAD_LENGTH = 3 * DIGITS + COUNT_DIGITS;

/** Makes a record; the checksum is of the key, too, so that the bytes of another key are none. */
export function encodeRecord(key: string, content: RecordContent): Buffer {
  const { freshUntil, staleUntil, loadMs, codec, payload } = content;
  const tags = content.tags.map((tag) => Buffer.from(tag));
  const length = tags.reduce((sum, tag) => sum + 2 + tag.length, TAGS_AT) + 1 + codec.length;
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
  at = record.writeUInt8(codec.length, at);
  at += record.write(codec, at, 'latin1');
  payload.bytes.copy(record, at);
  record.writeUInt32BE(checksumOf(key, record, 0), 0);
  return record;
}

/** Reads what is stored under a key; `undefined` for anything that this package did not write there. */
export function decodeRecord(key: string, stored: Buffer): StoredRecord | undefined {
  const freshUntil = readDigits(stored, DIGITS, DIGITS);
  const staleUntil = readDigits(stored, 2 * DIGITS, DIGITS);
  const recordAt = HEAD_LENGTH + readDigits(stored, 3 * DIGITS, COUNT_DIGITS) * NONCE_LENGTH;
  // What is no number makes the end none, too.
  const isHead = readDigits(stored, 0, DIGITS) + freshUntil + staleUntil >= 0;
  if (!isHead || !(recordAt + TAGS_AT <= stored.length)) return undefined;
  if (stored[recordAt + 4] !== FORMAT) return undefined;
  if (stored.readUInt32BE(recordAt) !== checksumOf(key, stored, recordAt)) return undefined;
  const [tags, codecAt] = readTags(stored, recordAt + TAGS_AT);
  const payloadAt = codecAt + 1 + stored[codecAt]!;
  if (!(payloadAt <= stored.length)) return undefined;
  const flags = stored[recordAt + 5]!;
  // What `expire` has changed stands in the head; the checksum does not cover that, so it only shortens.
  return {
    freshUntil: Math.min(stored.readDoubleBE(recordAt + 6), freshUntil),
    staleUntil: Math.min(stored.readDoubleBE(recordAt + 14), staleUntil),
    loadMs: (flags & HAS_LOAD_TIME) === 0 ? undefined : stored.readFloatBE(recordAt + 22),
    nonces: stored.subarray(HEAD_LENGTH, recordAt),
    tags,
    codec: readId(stored, codecAt + 1, payloadAt),
    payload: { bytes: stored.subarray(payloadAt), isCompressed: (flags & COMPRESSED) !== 0 },
  };
}

/** Reads a number of so many digits; `NaN` where something else stands there. */
function readDigits(bytes: Buffer, at: number, count: number): number {
  let number = 0;
  for (let end = at + count; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = 10 * number + digit;
  }
  return number;
}

/** Nearly all records are of one codec: its name is not made anew for each. */
let lastId = '';

function readId(bytes: Buffer, from: number, to: number): string {
  let at = 0;
  while (at < lastId.length && lastId.charCodeAt(at) === bytes[from + at]) at += 1;
  if (at !== lastId.length || at !== to - from) lastId = bytes.toString('latin1', from, to);
  return lastId;
}

/** Reads tags, behind their number; where there is less than it says the end is beyond that of the bytes. */
function readTags(bytes: Buffer, from: number): [tags: readonly string[], end: number] {
  const count = bytes[from - 1]!;
  if (count === 0) return [NO_TAGS, from];
  const tags: string[] = [];
  let at = from;
  while (tags.length < count) {
    if (at + 2 > bytes.length) return [tags, Infinity];
    const length = bytes.readUInt16BE(at);
    tags.push(bytes.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return [tags, at];
}

function checksumOf(key: string, bytes: Buffer, recordAt: number): number {
  return crc32(bytes.subarray(recordAt + CHECKED_FROM), crc32(key));
}
