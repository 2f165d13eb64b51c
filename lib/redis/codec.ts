import { promisify } from 'node:util';
import {
  deflateRaw,
  deflateRawSync,
  inflateRaw,
  inflateRawSync,
  type ZlibOptions,
} from 'node:zlib';
import { Packr } from 'msgpackr';
import type { Maybe } from '../levels/cache-level.js';

/** Makes bytes of values and values of bytes. Give your own for instances of classes. */
export interface Codec {
  /**
   * What its bytes are told by from those of another codec, which it is not given: 1 to 32 characters of
   * `A-Z a-z 0-9 . _ -`. Without one it is given those of any that has none.
   */
  readonly id?: string;
  /**
   * Makes the bytes of a value, at once: a `Buffer` is a `Uint8Array`.
   *
   * @throws for a value that it can not encode: the level refuses it then, as it does what it gets no bytes for
   */
  encode(value: unknown): Uint8Array;
  /** @throws for bytes that it can not decode: they are a miss */
  decode(bytes: Buffer): unknown;
}

/** A codec whose bytes another one, built on it, may hand back to it. */
export interface BufferCodec extends Codec {
  encode(value: unknown): Buffer;
}

const COMPRESS_FROM_BYTES = 2_048;
/** From so many on a thread does it. */
const THREAD_FROM_BYTES = 65_536;
const LENGTH_BYTES = 4;
const FAST = { level: 1 };

const deflateOnThread = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);
const inflateOnThread = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);

/**
 * The codec of the level: MessagePack for what `structuredClone` knows, `Date`, `Map`, `Set`, `bigint`,
 * typed arrays and circles included. Instances of classes come back as plain objects.
 */
export function messagePack(): BufferCodec {
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

/**
 * Compresses what is long, where that makes it shorter: at once what takes less than a millisecond or two,
 * else on a thread, so that it keeps nobody waiting. What it was long before stands in front.
 */
export function compress(bytes: Buffer): Maybe<Packed> {
  if (bytes.length < COMPRESS_FROM_BYTES) return { bytes, isCompressed: false };
  if (bytes.length >= THREAD_FROM_BYTES) return compressOnThread(bytes);
  return shorterOf(bytes, deflateRawSync(bytes, FAST));
}

/**
 * Undoes that, in the same way.
 *
 * @throws or rejects for bytes that are not ours, or would take more than they say or `maxBytes`
 */
export function decompress({ bytes, isCompressed }: Packed, maxBytes: number): Maybe<Buffer> {
  if (!isCompressed) return bytes;
  const length = bytes.readUInt32BE(0);
  if (length > maxBytes) throw new RangeError(`A value must not be larger than ${maxBytes} bytes.`);
  const compressed = bytes.subarray(LENGTH_BYTES);
  const bound = { maxOutputLength: length };
  return length < THREAD_FROM_BYTES
    ? inflateRawSync(compressed, bound)
    : decompressOnThread(compressed, bound);
}

async function compressOnThread(bytes: Buffer): Promise<Packed> {
  return shorterOf(bytes, await deflateOnThread(bytes, FAST));
}

async function decompressOnThread(compressed: Buffer, bound: ZlibOptions): Promise<Buffer> {
  return inflateOnThread(compressed, bound);
}

function shorterOf(bytes: Buffer, compressed: Buffer): Packed {
  if (LENGTH_BYTES + compressed.length >= bytes.length) return { bytes, isCompressed: false };
  const packed = Buffer.allocUnsafe(LENGTH_BYTES + compressed.length);
  packed.writeUInt32BE(bytes.length, 0);
  compressed.copy(packed, LENGTH_BYTES);
  return { bytes: packed, isCompressed: true };
}
