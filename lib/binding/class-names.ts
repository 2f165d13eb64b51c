import { InvalidArgumentError } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { nameOfClass, type ClassLike } from './cacheable-methods.js';

/**
 * The classes whose names are in a cache's derived keys. A name belongs to the first class that
 * brings it: two classes of one name would answer each other's calls.
 */
class ClassNames {
  readonly #owners = new Map<string, ClassLike>();
  readonly #claimants = new WeakSet<ClassLike>();
  readonly #refused = new WeakMap<ClassLike, string>();

  refuse(claimant: ClassLike, problem: string): void {
    this.#refused.set(claimant, problem);
  }

  problemOf(claimant: ClassLike): string | undefined {
    const refused = this.#refused.get(claimant);
    if (refused !== undefined) return refused;
    if (this.#claimants.has(claimant)) return undefined;
    const name = nameOfClass(claimant);
    if (name === '') {
      return 'A class without a name has no derived cache keys. Name the class, or give its @Cacheable methods a key.';
    }
    const owner = this.#owners.get(name);
    if (owner !== undefined && owner !== claimant) {
      return (
        `Two classes are named ${name}, so their derived cache keys would be the same. ` +
        'Rename one (a minifier must keep class names), or give the @Cacheable methods of one a key.'
      );
    }
    this.#owners.set(name, claimant);
    this.#claimants.add(claimant);
    return undefined;
  }
}

const namesOfCache = new WeakMap<CacheHierarchy, ClassNames>();

function namesOf(cache: CacheHierarchy): ClassNames {
  const known = namesOfCache.get(cache);
  if (known !== undefined) return known;
  const names = new ClassNames();
  namesOfCache.set(cache, names);
  return names;
}

/** Claims a class's name for its derived keys in a cache; returns what stands against it. */
export function claimName(cache: CacheHierarchy, claimant: ClassLike): string | undefined {
  return namesOf(cache).problemOf(claimant);
}

/** Has calls rejected that would derive a key of this class in a cache, where they may never come. */
export function refuseName(cache: CacheHierarchy, claimant: ClassLike, problem: string): void {
  namesOf(cache).refuse(claimant, problem);
}

/**
 * Claims a class's name at a call, for classes that nobody saw at start-up.
 *
 * @throws {InvalidArgumentError} when another class has it, or it was refused
 */
export function assertNameClaimed(cache: CacheHierarchy, claimant: ClassLike): void {
  const problem = claimName(cache, claimant);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
}
