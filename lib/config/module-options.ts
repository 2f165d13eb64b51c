import { InvalidOptionsError, type OptionProblem } from '../errors.js';
import {
  isLevel,
  resolveHierarchyOptions,
  type CacheHierarchyOptions,
} from '../hierarchy/hierarchy-options.js';
import { isRecord } from '../options.js';
import { settingsOf } from './cache-hierarchy.config.js';
import type { ReadSettings } from './read-settings.js';
import type { SettingTarget } from './settings.js';

/**
 * Merges the environment under the options the module was given, field by field, and checks the
 * whole: what is derived from other options is derived from the merged ones.
 *
 * @throws {InvalidOptionsError} with every problem of both; one of the environment, also of a setting
 *   that an option overrides, is named by its variable
 */
export function resolveModuleOptions(
  given: unknown,
  environment: CacheHierarchyOptions,
): CacheHierarchyOptions {
  const options = mergeOptions(environment, given);
  const problems = unique([
    ...problemsOfAbsent(given),
    ...problemsOfReading(environment),
    ...problemsOfOptions(options, environment),
  ]);
  if (problems.length > 0) throw new InvalidOptionsError('CacheHierarchyModule', problems);
  return Object.freeze(options);
}

/** Returns what is wrong with the environment, whatever options may be put over it. */
export function problemsOfEnvironment(
  environment: CacheHierarchyOptions,
): readonly OptionProblem[] {
  return unique([
    ...problemsOfReading(environment),
    ...problemsOfOptions(environment, environment),
  ]);
}

function problemsOfReading(environment: CacheHierarchyOptions): readonly OptionProblem[] {
  return settingsOf(environment)?.problems ?? [];
}

/** Refuses what a factory gives that returns nothing: what was written in it would not hold, unnoticed. */
export function problemsOfAbsent(given: unknown): readonly OptionProblem[] {
  if (given !== undefined) return [];
  return [{ option: 'options', message: 'must be returned by the factory, got undefined' }];
}

/** Puts the options that are set in `given` over those of `base`, field by field of each level. */
export function mergeOptions(base: CacheHierarchyOptions, given: unknown): CacheHierarchyOptions {
  return mergeOver(base, given, ['l1', 'l2']) as CacheHierarchyOptions;
}

/** Returns what is wrong with merged options; what came from the environment is named by its variable. */
export function problemsOfOptions(
  options: CacheHierarchyOptions,
  environment: CacheHierarchyOptions,
): readonly OptionProblem[] {
  const settings = settingsOf(environment);
  return problemsOf(options).map((problem) => blame(problem, options, settings));
}

/** Puts what is set in `given` over `base`; what is no object replaces it, to be refused or obeyed. */
function mergeOver(base: unknown, given: unknown, parts: readonly string[] = []): unknown {
  if (given === undefined) return base ?? {};
  // A level of the user's own is taken as it is, whatever the environment says of a built-in one.
  if (!isRecord(given) || isLevel(given)) return given;
  const merged: Record<string, unknown> = isRecord(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    merged[name] = parts.includes(name) ? mergeOver(merged[name], value) : value;
  }
  return merged;
}

function problemsOf(options: CacheHierarchyOptions): readonly OptionProblem[] {
  try {
    resolveHierarchyOptions(options);
    return [];
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.problems;
    throw error;
  }
}

/** Names the variable where the bad value is the environment's. */
function blame(
  problem: OptionProblem,
  options: CacheHierarchyOptions,
  settings: ReadSettings | undefined,
): OptionProblem {
  const target = problem.option as SettingTarget;
  const variable = settings?.sources.get(target);
  if (settings === undefined || variable === undefined) return problem;
  if (settings.values.get(target) !== valueAt(options, target)) return problem;
  const known = settings.problems.find(({ option }) => option === variable);
  return known ?? { option: variable, message: problem.message };
}

function valueAt(options: unknown, target: SettingTarget): unknown {
  return target
    .split('.')
    .reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), options);
}

function unique(problems: readonly OptionProblem[]): OptionProblem[] {
  const texts = problems.map(({ option, message }) => `${option}: ${message}`);
  return problems.filter((_, index) => texts.indexOf(texts[index]!) === index);
}
