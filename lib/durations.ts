import { parseAmount } from './amounts.js';
import { InvalidArgumentError, show } from './errors.js';

/**
 * A length of time: milliseconds as a number, or a number with a unit, such as `'250ms'`, `'60s'`,
 * `'5m'`, `'1h'` or `'1d'`. `Infinity` means for ever.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS_MS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** What a duration may look like, for error messages. */
export const DURATION_FORM =
  'a positive number of milliseconds, a number with a unit (250ms, 60s, 5m, 1h, 1d) or Infinity';

/**
 * Returns a duration in milliseconds.
 *
 * @throws {InvalidArgumentError} when it is zero, negative, NaN or not a duration
 */
export function parseDuration(duration: Duration): number {
  const milliseconds = tryParseDuration(duration);
  if (milliseconds === undefined) {
    throw new InvalidArgumentError(`A duration must be ${DURATION_FORM}, got ${show(duration)}.`);
  }
  return milliseconds;
}

/**
 * Returns what a loader says of its value's lifetime in milliseconds: 0, for a value that is not to
 * be kept, also where it says less than that.
 *
 * @throws {InvalidArgumentError} when it is NaN or not a duration
 */
export function parseLifetime(lifetime: Duration): number {
  if (typeof lifetime === 'number' && lifetime <= 0) return 0;
  return parseAmount(lifetime, UNITS_MS) === 0 ? 0 : parseDuration(lifetime);
}

/** Returns a duration in milliseconds, or `undefined` for what is not a positive duration. */
export function tryParseDuration(duration: unknown): number | undefined {
  const milliseconds = typeof duration === 'number' ? duration : parseAmount(duration, UNITS_MS);
  return milliseconds !== undefined && milliseconds > 0 ? milliseconds : undefined;
}

/** Writes milliseconds as an option is given them: in the largest unit that leaves no fraction. */
export function showDuration(milliseconds: number): string {
  if (milliseconds === Infinity) return 'Infinity';
  // What a fraction of a unit came to, such as '1.1s', is not exact.
  const exactMs = Number(milliseconds.toPrecision(12));
  const units = Object.entries(UNITS_MS).toReversed();
  const [unit, unitMs] = units.find(([, ms]) => Number.isInteger(exactMs / ms)) ?? ['ms', 1];
  return `'${exactMs / unitMs}${unit}'`;
}
