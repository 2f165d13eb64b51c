import type {
  DynamicModule,
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  Provider,
} from '@nestjs/common';
import { CacheRegistry, CacheRegistryModule } from './binding/cache.registry.js';
import {
  CACHE_MODULE_CONFIGURED,
  getCacheToken,
  namedOptionsToken,
  registrationToken,
} from './cache-hierarchy.constants.js';
import {
  resolveNamedOptions,
  type NamedCacheOptions,
  type NamedCacheSettings,
} from './config/named-options.js';
import { isDataSourceError } from './config/stale-on.js';
import { logReport } from './config/log-report.js';
import { InvalidOptionsError, show, type OptionProblem } from './errors.js';
import { CacheHierarchy } from './hierarchy/cache-hierarchy.js';
import { subjectOf } from './hierarchy/hierarchy-options.js';
import type { Maybe } from './levels/cache-level.js';
import { isName, NAME_FORM } from './memory/cache-key.js';
import { isRecord, OptionReader } from './options.js';

/** A named cache, as `CacheHierarchyModule.forFeatureAsync` takes it: a factory makes its options. */
export interface NamedCacheAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** 1 to 32 characters of `A-Z a-z 0-9 . _ -`, no two of an application alike. */
  readonly name: string;
  /** What the factory is called with. */
  readonly inject?: FactoryProvider['inject'];
  /** Makes the options of the cache, all but its name. */
  readonly useFactory: (...injected: never[]) => Maybe<NamedCacheSettings>;
}

type Feature = Required<Pick<DynamicModule, 'imports' | 'providers' | 'exports'>>;

/**
 * Returns what a module consists of that makes these caches.
 *
 * @throws {InvalidOptionsError} for names that are bad or given twice
 */
export function featureOf(caches: readonly NamedCacheOptions[]): Feature {
  const names = namesOf(caches, 'CacheHierarchyModule.forFeature');
  const options = caches.map(({ name, ...useValue }) => ({
    provide: namedOptionsToken(name),
    useValue,
  }));
  return { ...moduleOf(names, options), imports: [CacheRegistryModule] };
}

/**
 * The same for caches whose options factories make.
 *
 * @throws {InvalidOptionsError} for names that are bad or given twice, and what is no factory
 */
export function asyncFeatureOf(caches: readonly NamedCacheAsyncOptions[]): Feature {
  const subject = 'CacheHierarchyModule.forFeatureAsync';
  const names = namesOf(caches, subject);
  const options = caches.map((cache, index) => {
    checkFactory(new OptionReader(subject, cache, `[${index}].`));
    const { name, inject = [], useFactory } = cache;
    return {
      provide: namedOptionsToken(name),
      inject,
      useFactory: useFactory as FactoryProvider['useFactory'],
    };
  });
  const imports = caches.flatMap((cache) => cache.imports ?? []);
  return { ...moduleOf(names, options), imports: [CacheRegistryModule, ...imports] };
}

function moduleOf(
  names: readonly string[],
  options: readonly Provider[],
): Pick<Feature, 'providers' | 'exports'> {
  const configured = { provide: CACHE_MODULE_CONFIGURED, useValue: true };
  return {
    providers: [configured, ...options, ...names.flatMap(providersOf)],
    exports: names.map((name): InjectionToken => getCacheToken(name)),
  };
}

function providersOf(name: string): Provider[] {
  return [
    {
      provide: getCacheToken(name),
      inject: [CacheRegistry, namedOptionsToken(name)],
      useFactory: (registry: CacheRegistry, given: unknown) => openCache(name, given, registry),
    },
    {
      provide: registrationToken(name),
      inject: [CacheRegistry, getCacheToken(name)],
      useFactory: (registry: CacheRegistry, cache: CacheHierarchy) => registry.add(name, cache),
    },
  ];
}

async function openCache(
  name: string,
  given: unknown,
  registry: CacheRegistry,
): Promise<CacheHierarchy> {
  const root = await registry.rootFor(name);
  const { options, keepsRemoteOpen } = resolveNamedOptions(name, given, root);
  registry.claimLevels(options, subjectOf(name));
  return new CacheHierarchy(
    { report: logReport, ...options },
    { name, keepsRemoteOpen, sweeper: root.sweeper, staleOn: isDataSourceError },
  );
}

/** Checks the names, from which the injection tokens are made, before anything is started. */
function namesOf(caches: readonly { readonly name: string }[], subject: string): string[] {
  if (!Array.isArray(caches)) {
    const message = `must be an array with one object for each cache, got ${show(caches)}`;
    throw new InvalidOptionsError(subject, [{ option: 'caches', message }]);
  }
  const names = caches.map((cache: unknown) => (isRecord(cache) ? cache['name'] : cache));
  const problems = names.flatMap((name, index): OptionProblem[] => {
    const option = `[${index}].name`;
    if (!isName(name)) return [{ option, message: `must be ${NAME_FORM}, got ${show(name)}` }];
    if (names.indexOf(name) === index) return [];
    return [{ option, message: `must not be given twice, got ${show(name)}` }];
  });
  if (problems.length > 0) throw new InvalidOptionsError(subject, problems);
  return names as string[];
}

function checkFactory(read: OptionReader): void {
  for (const name of ['name', 'imports', 'inject']) read.raw(name);
  if (typeof read.raw('useFactory') !== 'function')
    read.reject('useFactory', "must be a function that returns the cache's options");
  read.finish();
}
