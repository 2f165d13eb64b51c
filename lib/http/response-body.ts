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
  // The prototype of arrays is one itself, in every realm.
  if (!isRecord(value)) return Array.isArray(Object.getPrototypeOf(value));
  if (Reflect.ownKeys(value).length !== Object.keys(value).length) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  // The root prototype of another realm, such as that of a test runner.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}
