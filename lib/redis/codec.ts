import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Packr } from 'msgpackr';

/** Makes bytes of values and values of bytes. Give your own for instances of classes. */
export interface Codec {
  /**
   * What its bytes are told by from those of another codec, which it is not given: 1 to 32 characters of
   * `A-Z a-z 0-9 . _ -`. Without one it is given those of any that has none.
   */
  readonly id?: string;
  /** @throws for a value that it can not encode: the level refuses it then */
  encode(value: unknown): Buffer;
  /** @throws for bytes that it can not decode: they are a miss */
  decode(bytes: Buffer): unknown;
}

const COMPRESS_FROM_BYTES = 2_048;

/**
 * The codec of the level: MessagePack for what `structuredClone` knows, `Date`, `Map`, `Set`, `bigint`,
 * typed arrays and circles included. Instances of classes come back as plain objects.
 */
export function messagePack(): Codec {
  // Buffers are copied: a small one would else keep the whole answer of Redis.
  const packr = new Packr({ structuredClone: true, moreTypes: true, copyBuffers: true });
  return {
    id: 'msgpack',
    encode: (value) => Buffer.from(packr.pack(value)),
    decode: (bytes) => packr.unpack(bytes) as unknown,
  };
}

/** The id of a codec; empty where it has none. */
export function idOf({ id = '' }: Codec): string {
  return id;
}

/** Bytes as they are stored, and whether they are compressed. */
export interface Packed {
  readonly bytes: Buffer;
  readonly isCompressed: boolean;
}

/** Compresses what is long, where that makes it shorter. */
export function compress(bytes: Buffer): Packed {
  if (bytes.length < COMPRESS_FROM_BYTES) return { bytes, isCompressed: false };
  const compressed = deflateRawSync(bytes, { level: 1 });
  const isShorter = compressed.length < bytes.length;
  return { bytes: isShorter ? compressed : bytes, isCompressed: isShorter };
}

/** @throws {RangeError} for bytes that would take more than `maxBytes`: they are not ours */
export function decompress({ bytes, isCompressed }: Packed, maxBytes: number): Buffer {
  return isCompressed ? inflateRawSync(bytes, { maxOutputLength: maxBytes }) : bytes;
}
