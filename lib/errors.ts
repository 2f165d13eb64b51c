/** The base of every error this package throws; `code` is stable across releases. */
export abstract class CacheError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** One thing that is wrong with the options: where, what was got and what to write instead. */
export interface OptionProblem {
  /** The option's path, such as `l1.numShards`, or the environment variable's name. */
  readonly option: string;
  /** What is wrong and what to do, ending with what was got. */
  readonly message: string;
}

/** Thrown at construction or at start-up; carries every problem of the options at once. */
export class InvalidOptionsError extends CacheError {
  readonly code = 'CACHE_INVALID_OPTIONS';

  declare readonly problems: readonly OptionProblem[];

  /** @param subject whose options they are, such as `CacheHierarchy` */
  constructor(subject: string, problems: readonly OptionProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const lines = problems.map(({ option, message }) => `\n  - ${option}: ${message}`);
    super(`${subject} has ${count} in its options:${lines.join('')}`);
    // The message has them: a logger that shows what an error holds would tell each of them twice.
    Object.defineProperty(this, 'problems', { value: problems });
  }
}

/** Thrown when a call's argument can not be used: a key, a tag, a lifetime, a loader. */
export class InvalidArgumentError extends CacheError {
  readonly code = 'CACHE_INVALID_ARGUMENT';
}

/** Thrown when a wait for a load ended before the load did. */
export class LoadTimeoutError extends CacheError {
  readonly code = 'CACHE_LOAD_TIMEOUT';
}

/** Thrown when a key's or a shard's lock was not free within the wait deadline. */
export class LockTimeoutError extends CacheError {
  readonly code = 'CACHE_LOCK_TIMEOUT';
}

/**
 * Thrown when a lower level has not done what the caller required of it. Its `cause` is the level's error,
 * or an `AggregateError` of several; there is none where the level has only queued it.
 */
export class CacheLevelError extends CacheError {
  readonly code = 'CACHE_LEVEL_FAILED';
}

const SHOWN_LENGTH = 60;

/** Renders any value for an error message: short, on one line, never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `a function ${value.name || '(anonymous)'}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `an object of ${constructorName(value)}`;
}

function shorten(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

function constructorName(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return 'no class';
  const { constructor } = prototype as { constructor?: { name?: unknown } };
  return typeof constructor?.name === 'string' ? constructor.name : 'no class';
}
