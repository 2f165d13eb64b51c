import { BYTE_SIZE_FORM, tryParseByteSize } from './byte-sizes.js';
import { DURATION_FORM, tryParseDuration } from './durations.js';
import { InvalidArgumentError, InvalidOptionsError, show, type OptionProblem } from './errors.js';

/** The range of a whole number; both ends belong to it. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  /** Whether `Infinity` may be written. */
  readonly infinity?: boolean;
}

/**
 * Reads an options object name by name, with a default for each, and collects whatever is wrong.
 * Names that nobody read are unknown. {@link OptionReader.finish} throws all problems at once, so
 * read every option before using one. `undefined` means unset; the object is never changed or kept.
 */
export class OptionReader {
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();
  readonly #children: OptionReader[] = [];

  /**
   * @param subject whose options they are; begins the error's message
   * @param options what the user gave
   */
  constructor(
    readonly subject: string,
    options: unknown,
    private readonly path = '',
    private readonly problems: OptionProblem[] = [],
  ) {
    this.#options = isRecord(options) ? options : {};
    if (options !== undefined && !isRecord(options)) {
      this.problems.push({
        option: path.slice(0, -1) || 'options',
        message: `must be an object, got ${show(options)}`,
      });
    }
  }

  /** A reader of some of these options, whose problems are reported with these. */
  of(options: object): OptionReader {
    return new OptionReader(this.subject, options, this.path, this.problems);
  }

  /** Reads a duration in milliseconds. */
  duration(name: string, defaultMs: number): number {
    const value = this.raw(name);
    if (value === undefined) return defaultMs;
    const milliseconds = tryParseDuration(value);
    if (milliseconds === undefined) this.reject(name, `must be ${DURATION_FORM}`);
    return milliseconds ?? defaultMs;
  }

  /** Reads a duration, or `undefined` when it is unset. */
  optionalDuration(name: string): number | undefined {
    return this.raw(name) === undefined ? undefined : this.duration(name, Infinity);
  }

  /** Reads an amount of memory in bytes. */
  bytes(name: string, defaultBytes: number): number {
    const value = this.raw(name);
    if (value === undefined) return defaultBytes;
    const bytes = tryParseByteSize(value);
    if (bytes === undefined) this.reject(name, `must be ${BYTE_SIZE_FORM}`);
    return bytes ?? defaultBytes;
  }

  /** Reads a whole number within a range. */
  integer(name: string, fallback: number, range: IntegerRange): number {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    if (isWithin(value, range)) return value;
    const infinity = range.infinity ? ', or Infinity' : '';
    this.reject(name, `must be a whole number from ${range.min} to ${range.max}${infinity}`);
    return fallback;
  }

  /** Reads `true` or `false`. */
  boolean(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value ?? fallback;
    this.reject(name, 'must be true or false');
    return fallback;
  }

  /** Reads one of a few words. */
  oneOf<W extends string>(name: string, words: readonly W[], fallback: W): W {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    if (words.includes(value as W)) return value as W;
    this.reject(name, `must be ${words.map((word) => `'${word}'`).join(' or ')}`);
    return fallback;
  }

  /** Reads a function. */
  callback<F>(name: string, fallback: F): F {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    if (typeof value !== 'function') this.reject(name, 'must be a function');
    return value as F;
  }

  /** Reads an object that has the given methods; what it does is its own affair. */
  port<P extends object>(name: string, fallback: P, methods: readonly (keyof P & string)[]): P {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const missing = methods.filter((method) => !hasMethod(value, method));
    if (missing.length > 0) this.reject(name, `must have the methods ${missing.join(', ')}`);
    return value as P;
  }

  /** Reads the options of a part, whose problems are reported with these. */
  part(name: string): OptionReader {
    const child = new OptionReader(
      this.subject,
      this.raw(name),
      `${this.path}${name}.`,
      this.problems,
    );
    this.#children.push(child);
    return child;
  }

  /** Returns what was given for a name, unchecked, and counts the name as known. */
  raw(name: string): unknown {
    this.#known.add(name);
    return this.#options[name];
  }

  /** Notes a problem of a name; `requirement` says what it must be. */
  reject(name: string, requirement: string): void {
    this.problems.push({
      option: this.path + name,
      message: `${requirement}, got ${show(this.#options[name])}`,
    });
  }

  /**
   * Ends the reading.
   *
   * @throws {InvalidOptionsError} when anything was wrong or unknown
   */
  finish(): void {
    this.#rejectUnknown();
    if (this.problems.length > 0) throw new InvalidOptionsError(this.subject, this.problems);
  }

  #rejectUnknown(): void {
    for (const name of Object.keys(this.#options)) {
      if (this.#known.has(name)) continue;
      const message = `is unknown${whatIsKnown(name, this.#known)}`;
      this.problems.push({ option: this.path + name, message });
    }
    for (const child of this.#children) child.#rejectUnknown();
  }
}

/**
 * Checks the names in one call's options, without the cost of reading them all.
 *
 * @throws {InvalidArgumentError} for what is not an object, or has a name that is not known
 */
export function assertKnownOptions(options: object, known: ReadonlySet<string>): void {
  if (!isRecord(options)) {
    throw new InvalidArgumentError(
      `The options of a call must be an object, got ${show(options)}.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (known.has(name)) continue;
    throw new InvalidArgumentError(
      `The call's option ${show(name)} is unknown${whatIsKnown(name, known)}.`,
    );
  }
}

/** Whether a value is an object with names, such as options. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells which names are known, and first the one that was probably meant, where there is such a one. */
function whatIsKnown(name: string, known: ReadonlySet<string>): string {
  const names = [...known].toSorted();
  const listed = `nown are ${names.join(', ') || 'none'}`;
  const meant = nearestOf(name, names);
  return meant === undefined ? `; k${listed}` : `: did you mean ${meant}? K${listed}`;
}

/** The nearest of some names to one that differs from it in at most a third of its letters. */
function nearestOf(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const each of names) {
    const most = Math.floor(Math.max(name.length, each.length) / 3);
    if (Math.abs(name.length - each.length) > most) continue;
    const edits = editsBetween(name.toLowerCase(), each.toLowerCase());
    if (edits > most || edits >= least) continue;
    nearest = each;
    least = edits;
  }
  return nearest;
}

/** How many letters have to be added, left out or replaced to make one name of the other (Levenshtein). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const letter of from) {
    const next = [row[0]! + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = row[at]! + (letter === to[at] ? 0 : 1);
      next.push(Math.min(replaced, row[at + 1]! + 1, next[at]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

function isWithin(value: unknown, range: IntegerRange): value is number {
  if (value === Infinity) return range.infinity === true;
  return Number.isInteger(value) && Number(value) >= range.min && Number(value) <= range.max;
}

function hasMethod(value: unknown, method: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[method] === 'function'
  );
}
