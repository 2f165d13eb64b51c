import { types } from 'node:util';
import { StreamableFile } from '@nestjs/common';
import { isRecord } from '../options.js';

/**
 * What a value that a handler returned is to a cache: `data`, plain objects, arrays, dates and primitives,
 * which a copy stands for; `object`, anything of a class, which a serializer outside may know by it;
 * `stream`, what can be read only once, also where it is part of something else, and what is nested too deep
 * to tell.
 */
export type BodyKind = 'data' | 'object' | 'stream';

/**
 * Holds an `object` as it is. It can not be copied or written down: where a level does that, something of
 * no class comes back, which is no `LiveBody`. So an instance whose class tells a serializer what to leave
 * out never comes back without its class.
 */
export class LiveBody {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get value(): unknown {
    return this.#value;
  }
}

const RANK: readonly BodyKind[] = ['data', 'object', 'stream'];
/** Cycles end there: to look into the other ways round would take for ever. */
const MAX_DEPTH = 64;

/** Tells what kind of body a value is. */
export function bodyKindOf(value: unknown, depth = 0): BodyKind {
  if (typeof value !== 'object' || value === null) return isPrimitive(value) ? 'data' : 'object';
  if (isStream(value)) return 'stream';
  if (types.isDate(value)) return 'data';
  if (depth > MAX_DEPTH) return 'stream';
  if (!isPlain(value)) return 'object';
  let rank = 0;
  for (const part of Object.values(value) as unknown[]) {
    rank = Math.max(rank, RANK.indexOf(bodyKindOf(part, depth + 1)));
    if (RANK[rank] === 'stream') break;
  }
  return RANK[rank]!;
}

/** Copies data, so that nobody who gets it changes it for others. */
export function copyData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return copyList(value);
  if (types.isDate(value)) return new Date(value);
  // A spread and its objects: an object of five numbers takes a tenth of what fromEntries takes.
  const copy: Record<string, unknown> = { ...value };
  // What it may inherit, if somebody has given all objects something, is not asked for.
  for (const name in copy) {
    const part = copy[name];
    if (typeof part === 'object' && part !== null && Object.hasOwn(copy, name))
      copy[name] = copyData(part);
  }
  return copy;
}

/** Whether a copy of data is what it was when it was made: would be written as the same JSON. */
export function isSameData(copy: unknown, original: unknown): boolean {
  if (Object.is(copy, original)) return true;
  if (typeof copy !== 'object' || typeof original !== 'object') return false;
  if (copy === null || original === null) return false;
  if (Array.isArray(copy)) return isSameList(copy, original);
  if (copy instanceof Date) return isSameDate(copy, original);
  return Object.getPrototypeOf(copy) === Object.prototype && isSameObject(copy, original);
}

function isSameList(copy: readonly unknown[], original: object): boolean {
  if (!Array.isArray(original) || copy.length !== original.length || writesItself(copy))
    return false;
  for (let at = 0; at < copy.length; at += 1) {
    if (!isSameData(copy[at], original[at])) return false;
  }
  return true;
}

// As it was when nothing had been written.
const writeDate = Date.prototype.toJSON; // oxlint-disable-line unbound-method

function isSameDate(copy: Date, original: object): boolean {
  return (
    original instanceof Date &&
    copy.toJSON === writeDate &&
    Object.is(copy.getTime(), original.getTime())
  );
}

function isSameObject(copy: object, original: object): boolean {
  if (Array.isArray(original) || writesItself(copy)) return false;
  const parts = copy as Record<string, unknown>;
  const names = Object.keys(original);
  let at = 0;
  for (const name in parts) {
    if (name !== names[at] || !isSameData(parts[name], (original as Record<string, unknown>)[name]))
      return false;
    at += 1;
  }
  return at === names.length;
}

function writesItself(value: object): boolean {
  return (value as { readonly toJSON?: unknown }).toJSON !== undefined;
}

function copyList(list: readonly unknown[]): unknown[] {
  const copy = list.slice();
  for (let at = 0; at < copy.length; at += 1) {
    const part = copy[at];
    if (typeof part === 'object' && part !== null) copy[at] = copyData(part);
  }
  return copy;
}

/** JSON knows neither of the others and refuses the first. */
function isPrimitive(value: unknown): boolean {
  return typeof value !== 'bigint' && typeof value !== 'function' && typeof value !== 'symbol';
}

/** What Nest, or an adapter, sends piece by piece. */
function isStream(value: object): boolean {
  if (value instanceof StreamableFile) return true;
  const given = value as Record<PropertyKey, unknown>;
  const isThenable = typeof given['then'] === 'function';
  if (typeof given[Symbol.asyncIterator] === 'function' && !isThenable) return true;
  if (typeof given['pipe'] === 'function' || typeof given['getReader'] === 'function') return true;
  return Object.prototype.toString.call(value) === '[object Response]';
}

/** Whether a value is a list, or an object of nothing but enumerable properties named by strings, of no class. */
function isPlain(value: object): boolean {
  if (!isRecord(value)) return isPlainList(value);
  if (Reflect.ownKeys(value).length !== Object.keys(value).length) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  // The root prototype of another realm, such as that of a test runner.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** The prototype of arrays is one itself, in every realm. Behind its length there is what somebody has added. */
function isPlainList(list: object): boolean {
  return Array.isArray(Object.getPrototypeOf(list)) && Reflect.ownKeys(list).at(-1) === 'length';
}
