import { systemClock, type Clock } from '../clock.js';
import { tryParseDuration, type Duration } from '../durations.js';

import type { CacheLevel } from '../levels/cache-level.js';
import { CLOCK_METHODS } from '../memory/cache-options.js';
import { OptionReader } from '../options.js';
import { MapLevel } from './map-level.js';

/** What goes wrong with the calls of a {@link ChaosLevel}. Shares are from 0 to 1. */
export interface ChaosRates {
  /**
   * The share of calls that fail and are not carried out.
   * @default 0
   */
  readonly failBefore?: number;
  /**
   * The share of calls that are carried out and fail all the same.
   * @default 0
   */
  readonly failAfter?: number;
  /**
   * The share of calls that are not carried out and do not answer, until `up` or `close` fails them.
   * Outside this process only.
   * @default 0
   */
  readonly hang?: number;
  /**
   * How long each call waits before anything becomes of it: always as long, or from the first to the
   * second. Outside this process only.
   * @default 0
   */
  readonly delay?: Duration | readonly [Duration, Duration];
}

/** Options of a {@link ChaosLevel}. Every one has a default. */
export interface ChaosOptions extends ChaosRates {
  /**
   * The level that makes the calls come true.
   * @default a `MapLevel` that stands for a store outside this process
   */
  readonly level?: CacheLevel;
  /** The clock of the cache that it is given to; the process's own by default. */
  readonly clock?: Clock;
  /**
   * The seed of its choices: with the same one and the same calls it does the same.
   * @default random; `level.seed` tells it
   */
  readonly seed?: number;
}

/** {@link ChaosRates} with everything filled in. */
export interface ResolvedRates {
  readonly failBefore: number;
  readonly failAfter: number;
  readonly hang: number;
  readonly delayMs: readonly [number, number];
}

export const CALM: ResolvedRates = { failBefore: 0, failAfter: 0, hang: 0, delayMs: [0, 0] };

const SUBJECT = 'ChaosLevel';
const SHARES = ['failBefore', 'failAfter', 'hang'] as const;

/** @throws {InvalidOptionsError} with everything that is wrong with them */
export function resolveChaosOptions(options: ChaosOptions): {
  readonly level: CacheLevel;
  readonly clock: Clock;
  readonly seed: number;
  readonly rates: ResolvedRates;
} {
  const read = new OptionReader(SUBJECT, options);
  const clock = read.port('clock', systemClock, [...CLOCK_METHODS]);
  const level = read.port<CacheLevel>('level', new MapLevel({ clock }), ['read', 'write']);
  const seed = read.integer('seed', Math.floor(Math.random() * 2 ** 32), { min: 0, max: 2 ** 32 });
  const rates = readRates(read, CALM, level.inProcess);
  read.finish();
  return { level, clock, seed, rates };
}

/**
 * Puts rates over those that ruled so far.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function changeRates(
  rates: ChaosRates,
  before: ResolvedRates,
  inProcess: boolean,
): ResolvedRates {
  const read = new OptionReader(SUBJECT, rates);
  const changed = readRates(read, before, inProcess);
  read.finish();
  return changed;
}

function readRates(read: OptionReader, before: ResolvedRates, inProcess: boolean): ResolvedRates {
  const [failBefore, failAfter, hang] = SHARES.map((name) => readShare(read, name, before[name]));
  const rates = {
    failBefore: failBefore!,
    failAfter: failAfter!,
    hang: hang!,
    delayMs: readDelay(read, before.delayMs),
  };
  const sum = rates.failBefore + rates.failAfter + rates.hang;
  if (sum > 1) read.reject('failBefore', 'must be at most 1 together with failAfter and hang');
  if (inProcess && rates.hang > 0) read.reject('hang', NOT_IN_PROCESS);
  if (inProcess && rates.delayMs[1] > 0) read.reject('delay', NOT_IN_PROCESS);
  return rates;
}

const NOT_IN_PROCESS = 'must be 0 for a level in this process, which answers at once';

function readShare(read: OptionReader, name: keyof ChaosRates, before: number): number {
  const share = read.raw(name) ?? before;
  if (typeof share === 'number' && share >= 0 && share <= 1) return share;
  read.reject(name, 'must be a number from 0 to 1');
  return before;
}

function readDelay(
  read: OptionReader,
  before: readonly [number, number],
): readonly [number, number] {
  const given = read.raw('delay');
  if (given === undefined) return before;
  const [shortest, longest] = (Array.isArray(given) ? given : [given, given]).map(delayOf);
  if (shortest !== undefined && longest !== undefined && shortest <= longest)
    return [shortest, longest];
  read.reject('delay', 'must be 0, a duration, or two of them, the shorter one first');
  return before;
}

function delayOf(given: unknown): number | undefined {
  return given === 0 ? 0 : tryParseDuration(given);
}
