import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import {
  CACHE_ANNOUNCEMENT,
  getCacheToken,
  registrationToken,
} from '../cache-hierarchy.constants.js';
import { InvalidOptionsError, type OptionProblem } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { isLevel, subjectOf, type CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import type { CacheLevel } from '../levels/cache-level.js';
import type { Sweeper } from '../memory/sweeper.js';
import { retireCache } from './live-caches.js';
import { needs } from './waiting-providers.js';

/** The default cache of an application, and what named ones take from it. */
export interface RootCache {
  readonly cache: CacheHierarchy;
  /** The options that the module was given, and those of the environment. */
  readonly given: CacheHierarchyOptions;
  readonly environment: CacheHierarchyOptions;
  readonly sweeper: Sweeper;
}

/** When it is looked whether the default cache and a named one wait for each other: most do at once. */
const LOOKS_MS = [0, 100, 1_000];

const registries = new WeakMap<CacheHierarchy, CacheRegistry>();

/**
 * Returns the registry of the application that has this default cache, the one that a host was linked
 * to: so a decorated method finds the named caches of its own application. `undefined` where the cache
 * is no application's.
 */
export function registryOf(defaultCache: CacheHierarchy): CacheRegistry | undefined {
  return registries.get(defaultCache);
}

/**
 * The caches of an application by their names. Whoever makes a named cache waits here for the default
 * one, which may be configured asynchronously and need not be visible from the module of the named one.
 *
 * It closes them all when the application has shut down: the named ones first, since only the default
 * cache closes the remote that they share.
 */
@Injectable()
export class CacheRegistry implements OnApplicationShutdown {
  private readonly named = new Map<string, CacheHierarchy>();
  /** The cache that each level of the user's own belongs to. */
  private readonly owners = new Map<CacheLevel, string>();
  private readonly opened: Promise<RootCache>;
  private settle!: (root: RootCache) => void;
  /** More than one is refused when the application is initialised. */
  private readonly roots: RootCache[] = [];
  private closed = false;

  constructor(private readonly modules: ModulesContainer) {
    this.opened = new Promise((resolve) => (this.settle = resolve));
  }

  /** Notes the default cache: named ones can be made from now on. */
  open(root: RootCache): void {
    registries.set(root.cache, this);
    if (this.roots.push(root) > 1) return;
    this.claimLevels(root.given, subjectOf(undefined));
    this.settle(root);
  }

  /**
   * Looks whether the application has a default cache, on behalf of what is of no use without one.
   *
   * @throws {InvalidOptionsError} when it has none
   */
  assertRoot(subject: string): void {
    if (this.count(CACHE_ANNOUNCEMENT) > 0) return;
    const message =
      'have no CacheHierarchyModule, so there is no cache. Call CacheHierarchyModule.forRoot or ' +
      'forRootAsync once, in the root module.';
    throw new InvalidOptionsError(subject, [{ option: 'imports', message }]);
  }

  /**
   * Returns what cleans all caches of the application, once its providers are made.
   *
   * @throws {InvalidOptionsError} when it has no default cache
   */
  sweeperFor(subject: string): Sweeper {
    this.assertRoot(subject);
    return this.roots[0]!.sweeper;
  }

  /**
   * Waits for the default cache, on behalf of a named one. Where that fails to start this never settles:
   * the start has failed then, and its error is the one to be seen.
   *
   * @throws {InvalidOptionsError} when the application has none, has that name twice, or has a default cache
   *   whose options wait for the named one
   */
  async rootFor(name: string): Promise<RootCache> {
    const problems: OptionProblem[] = [];
    if (this.count(CACHE_ANNOUNCEMENT) === 0) {
      const message =
        'has no default cache to inherit from. Call CacheHierarchyModule.forRoot or forRootAsync ' +
        'once, in the root module.';
      problems.push({ option: 'forFeature', message });
    }
    if (this.count(registrationToken(name)) > 1) {
      const message =
        'is given twice. Call forFeature once for it: keep what it returns and import that wherever ' +
        'the cache is injected, or export CacheHierarchyModule from the module that imports it.';
      problems.push({ option: 'name', message });
    }
    if (problems.length > 0) throw new InvalidOptionsError(subjectOf(name), problems);
    return this.whenOpened(name);
  }

  /** Two that wait for each other would wait for ever, and nobody would know for what. */
  private whenOpened(name: string): Promise<RootCache> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.isWaitedFor(name)) reject(circleThrough(name));
      };
      const looks = LOOKS_MS.map((ms) => setTimeout(look, ms));
      void this.opened.then(resolve).finally(() => {
        for (const timer of looks) clearTimeout(timer);
      });
    });
  }

  private isWaitedFor(name: string): boolean {
    return [...this.modules.values()].some(({ providers }) => {
      const root = providers.get(CACHE_ANNOUNCEMENT);
      return root !== undefined && needs(root, getCacheToken(name));
    });
  }

  /**
   * Notes the levels that a cache does not share.
   *
   * @throws {InvalidOptionsError} when one is another cache's
   */
  claimLevels({ l2, remote }: LevelsGiven, subject: string): void {
    const levels = Object.entries({ l2, remote }).filter(isOwnLevel);
    const problems = levels.flatMap(([option, level]) => {
      const owner = this.owners.get(level);
      return owner === undefined ? [] : [{ option, message: takenBy(owner) }];
    });
    if (problems.length > 0) throw new InvalidOptionsError(subject, problems);
    for (const [, level] of levels) this.owners.set(level, subject);
  }

  /** Notes a named cache, a test's double included. */
  async add(name: string, cache: CacheHierarchy): Promise<void> {
    const former = this.named.get(name);
    this.named.set(name, cache);
    // A lazily loaded module that failed to load may be loaded again.
    if (former !== undefined && former !== cache) await closeCache(former);
    if (this.closed) await closeCache(cache);
  }

  /** Returns a named cache, or the default one; `undefined` where there is none of that name yet. */
  get(name?: string): CacheHierarchy | undefined {
    return name === undefined ? this.roots[0]?.cache : this.named.get(name);
  }

  /** The named caches that were made so far, by their names. */
  entries(): IterableIterator<[name: string, cache: CacheHierarchy]> {
    return this.named.entries();
  }

  /** Called by Nest last, when no request is answered any more. */
  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.named.values()].map(closeCache));
    for (const { cache } of this.roots) {
      retireCache(cache);
      await closeCache(cache);
    }
  }

  private count(token: symbol): number {
    return [...this.modules.values()].filter(({ providers }) => providers.has(token)).length;
  }
}

/** Gives every module of an application that has caches the one registry of them. */
@Module({ providers: [CacheRegistry], exports: [CacheRegistry] })
export class CacheRegistryModule {}

type LevelsGiven = Pick<CacheHierarchyOptions, 'l2' | 'remote'>;

function isOwnLevel(
  entry: [string, LevelsGiven[keyof LevelsGiven]],
): entry is [string, CacheLevel] {
  return isLevel(entry[1]);
}

function takenBy(owner: string): string {
  return `is the level of ${owner}, and two caches would find each other's entries in it. Give each its own.`;
}

function circleThrough(name: string): InvalidOptionsError {
  const message =
    'needs this cache, which waits for the options of the default one: neither would ever be there. Have ' +
    'its useFactory, useClass or useExisting inject nothing that injects this cache.';
  return new InvalidOptionsError(subjectOf(name), [{ option: 'forRootAsync', message }]);
}

/** A test may have put a double in a cache's place that has only what the test calls. */
async function closeCache(cache: Partial<CacheHierarchy>): Promise<void> {
  await cache.close?.();
}
