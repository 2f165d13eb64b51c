import { InvalidOptionsError, type OptionProblem } from '../errors.js';
import { isLevel, subjectOf, type CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import type { CacheLevel } from '../levels/cache-level.js';
import { isRecord } from '../options.js';
import { mergeOptions, problemsOfAbsent, problemsOfOptions } from './module-options.js';

/** What belongs to the application and not to one of its caches. */
const SHARED = ['clock', 'maxWorkers'] as const;

/**
 * Options of a named cache. What is left out is inherited: from the options that `forRoot` was given,
 * then from the environment, then from the defaults, field by field of each level.
 */
export interface NamedCacheSettings extends Omit<
  CacheHierarchyOptions,
  'remote' | 'clock' | 'maxWorkers'
> {
  /**
   * The lowest level, which processes share; `false` for none.
   * @default the `scope` of this cache's name in the remote of the default cache, if that has one
   */
  readonly remote?: CacheLevel | false;
}

/** A named cache, as `CacheHierarchyModule.forFeature` takes it. */
export interface NamedCacheOptions extends NamedCacheSettings {
  /** 1 to 32 characters of `A-Z a-z 0-9 . _ -`, no two of an application alike. */
  readonly name: string;
}

/** What a named cache inherits from: the options given to the module, and those of the environment. */
export interface InheritedOptions {
  readonly given: CacheHierarchyOptions;
  readonly environment: CacheHierarchyOptions;
}

/** The options of a named cache, inherited ones included. */
export interface ResolvedNamedOptions {
  readonly options: CacheHierarchyOptions;
  /** Whether its remote is a scope, which is closed with the level that it is a scope of. */
  readonly keepsRemoteOpen: boolean;
}

/**
 * Merges the options of a named cache over those it inherits, and checks the whole: what is derived from
 * other options is derived from the merged ones.
 *
 * A level object is not inherited, since two caches would find each other's entries in it: in place of
 * the remote stands its scope, and another `l2` has to be named.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveNamedOptions(
  name: string,
  own: unknown,
  inherited: InheritedOptions,
): ResolvedNamedOptions {
  const given = isRecord(own) ? own : {};
  const base = mergeOptions(inherited.environment, givenFor(given, inherited.given));
  const merged = mergeOptions(base, own);
  const remote = remoteOf(name, given['remote'], inherited.given.remote);
  const options = isRecord(merged) ? { ...merged, remote: remote.level } : merged;
  const problems = [
    ...problemsOfAbsent(own),
    ...problemsOfShared(given),
    ...problemsOfL2(given, inherited.given),
    ...remote.problems,
    ...problemsOfOptions(options, inherited.environment),
  ];
  if (problems.length > 0) throw new InvalidOptionsError(subjectOf(name), problems);
  return { options: Object.freeze(options), keepsRemoteOpen: remote.isScope };
}

/** Leaves the `l2` of the default cache out where it has no fields that one with options could inherit. */
function givenFor(
  { l2 }: Readonly<Record<string, unknown>>,
  root: CacheHierarchyOptions,
): CacheHierarchyOptions {
  const hasFields = root.l2 !== false && !isLevel(root.l2);
  return l2 === undefined || hasFields ? root : { ...root, l2: undefined };
}

interface Remote {
  readonly level: CacheLevel | undefined;
  readonly isScope: boolean;
  readonly problems: readonly OptionProblem[];
}

function remoteOf(name: string, own: unknown, root: CacheLevel | undefined): Remote {
  if (own === false) return { level: undefined, isScope: false, problems: [] };
  if (own !== undefined) return { level: own as CacheLevel, isScope: false, problems: [] };
  if (root === undefined) return { level: undefined, isScope: false, problems: [] };
  if (typeof root.scope === 'function') {
    return { level: root.scope(name), isScope: true, problems: [] };
  }
  const message =
    `can not be shared: the level ${root.name} of the default cache has no method scope, so two ` +
    "caches would find and clear each other's entries in it. Give that level the method, give this " +
    'cache a remote of its own, or write remote: false, and other processes do not see what it deletes.';
  return { level: undefined, isScope: false, problems: [{ option: 'remote', message }] };
}

function problemsOfL2(
  { l2 }: Readonly<Record<string, unknown>>,
  root: CacheHierarchyOptions,
): OptionProblem[] {
  if (l2 !== undefined || !isLevel(root.l2)) return [];
  const message =
    `can not be shared: the level ${root.l2.name} belongs to the default cache. Give this cache ` +
    'another level, the options of a built-in one ({} for its defaults), or false for none.';
  return [{ option: 'l2', message }];
}

function problemsOfShared(given: Readonly<Record<string, unknown>>): OptionProblem[] {
  return SHARED.filter((option) => given[option] !== undefined).map((option) => ({
    option,
    message: 'is one for all caches of the application: give it to forRoot, or leave it out',
  }));
}
