import { show } from '../errors.js';
import type { Report } from '../report.js';

/** Beyond this many values the rest of an object is estimated from what was seen. */
const MOST_VALUES = 1_000;

/** What V8 needs for a small number, a reference or the head of an object, in bytes. */
const WORD_BYTES = 8;
const OBJECT_BYTES = 3 * WORD_BYTES;
/** A row's words, cells and slot, with the sketch's part. */
const ROW_BYTES = 48;

/**
 * Estimates the bytes of memory that an entry takes: its key, its row and its value with everything
 * that it refers to. Cheap rather than exact: at most 1,000 values are looked at, and of a larger
 * array, map or set the rest is taken to be like those. What functions and symbols refer to, and
 * values behind accessors, are not counted.
 */
export function estimateBytes(value: unknown, key: string): number {
  return ROW_BYTES + stringBytes(key) + new SizeEstimate().of(value);
}

/** The weight of an entry that may not be stored. */
export const REFUSED = -1;

/** How a cache weighs entries, and what it does about those that can not be. */
export interface Weighing {
  readonly weigh: ((value: unknown, key: string) => number) | undefined;
  readonly maxEntryBytes: number;
  readonly report: Report;
}

/**
 * Returns what weighs a cache's entries, in whole units; {@link REFUSED} for one that is too
 * heavy. One that can not be weighed counts as that, and the first of them is reported.
 */
export function weighingOf({
  weigh,
  maxEntryBytes,
  report,
}: Weighing): ((value: unknown, key: string) => number) | undefined {
  if (weigh === undefined) return undefined;
  let reported = false;
  const refuse = (what: string, cause?: unknown): number => {
    if (reported) return REFUSED;
    reported = true;
    const message = `${what} The entry was not stored; later ones like it are counted, not reported.`;
    report({ code: 'CACHE_ENTRY_NOT_WEIGHED', message, cause });
    return REFUSED;
  };
  return (value, key) => {
    let weight: number;
    try {
      weight = weigh(value, key);
    } catch (error) {
      return refuse('The weigh function of a cache threw.', error);
    }
    if (typeof weight === 'number' && weight >= 0) {
      const whole = Math.ceil(weight);
      return whole <= maxEntryBytes ? whole : REFUSED;
    }
    return refuse(
      `The weigh function of a cache must return a number of at least 0, got ${show(weight)}.`,
    );
  };
}

function stringBytes(text: string): number {
  return 2 * WORD_BYTES + 2 * text.length;
}

/** One walk over a value; an object that is met twice counts once. */
class SizeEstimate {
  #valuesLeft = MOST_VALUES;
  readonly #seen = new Set<object>();

  of(value: unknown): number {
    if (typeof value === 'string') return stringBytes(value);
    if (typeof value === 'bigint') return 2 * WORD_BYTES + (value.toString(16).length >> 1);
    if (typeof value !== 'object' || value === null) return WORD_BYTES;
    if (this.#seen.has(value)) return 0;
    this.#seen.add(value);
    return OBJECT_BYTES + this.#contentsOf(value);
  }

  #contentsOf(value: object): number {
    if (ArrayBuffer.isView(value)) return value.byteLength;
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return value.byteLength;
    if (Array.isArray(value)) return this.#ofMany(value, value.length);
    if (value instanceof Set) return this.#ofMany(value, value.size);
    if (value instanceof Map)
      return this.#ofMany(value.keys(), value.size) + this.#ofMany(value.values(), value.size);
    const names = Object.keys(value);
    return this.#ofMany(fieldsOf(value, names), names.length);
  }

  #ofMany(items: Iterable<unknown>, count: number): number {
    let bytes = 0;
    let seen = 0;
    for (const item of items) {
      if (this.#valuesLeft <= 0) break;
      this.#valuesLeft -= 1;
      seen += 1;
      bytes += WORD_BYTES + this.of(item);
    }
    return seen === 0 ? count * 2 * WORD_BYTES : (bytes / seen) * count;
  }
}

/** The values of an object's fields one by one: nothing is called, and none is looked at in vain. */
function* fieldsOf(value: object, names: readonly string[]): Iterable<unknown> {
  for (const name of names) yield Object.getOwnPropertyDescriptor(value, name)?.value;
}
