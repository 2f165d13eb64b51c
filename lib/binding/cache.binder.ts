import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { InvalidOptionsError, type OptionProblem } from '../errors.js';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { cachedHandlerOf } from '../http/route-metadata.js';
import { problemsOfRoutes } from '../http/same-named-routes.js';
import { isCacheHost, linkHost } from './cache-slot.js';
import {
  methodsOf,
  nameOfMethod,
  othersOf,
  visibleMethodsOf,
  type CacheableMethod,
  type ClassLike,
} from './cacheable-methods.js';
import { noCacheMessage } from './cache-of-method.js';
import { registryOf } from './cache.registry.js';
import { configOf } from './class-config.js';
import { claimName, refuseName } from './class-names.js';
import { retireCache } from './live-caches.js';
import { noMethodMessage } from './method-key.js';
import { planOf } from './plan-of-class.js';
import { methodsWithCacheResponse, strayHandlersWarning } from './stray-handlers.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Looks at every provider and controller once, when the application is initialised. It links the
 * instances that Nest did not build, and refuses what would make derived keys answer for the wrong
 * call: two classes of one name, two instances of one class.
 */
@Injectable()
export class CacheBinder implements OnModuleInit {
  private readonly logger = new Logger(CacheHierarchy.name);

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly modules: ModulesContainer,
    private readonly cache: CacheHierarchy,
  ) {}

  /** @throws {InvalidOptionsError} with everything that was refused */
  onModuleInit(): void {
    const controllers = this.discovery.getControllers();
    const wrappers = [...this.discovery.getProviders(), ...controllers];
    const singletons = wrappers.filter(isSingleton).map(({ instance }) => instance as unknown);
    const hosts = new Set(singletons.filter(isCacheHost));
    for (const host of hosts) linkHost(host, this.cache);

    const scoped = new Set(wrappers.filter(isRequestScoped).map(classOf).filter(derivesKeys));
    for (const { name } of scoped) this.logger.warn(requestScopeWarning(name));
    const transient = new Set(wrappers.filter(isTransient).map(classOf).filter(derivesKeys));
    for (const { name } of transient) this.logger.warn(transientWarning(name));

    const routed = new Set(controllers.map(classOf));
    const others = new Set(wrappers.flatMap((wrapper) => classOf(wrapper) ?? []));
    for (const type of [...others].filter((each) => !routed.has(each))) {
      const methods = methodsWithCacheResponse(type);
      if (methods.length > 0) this.logger.warn(strayHandlersWarning(type, methods));
    }

    const problems = [
      ...this.problemsOfRoots(),
      ...this.problemsOfNames([...hosts].map(classOfInstance), [...scoped], [...transient]),
      ...this.problemsOfInstances(hosts),
      ...problemsOfHandlers(wrappers.map(classOf)),
      ...problemsOfRoutes(controllers.flatMap((wrapper) => classOf(wrapper) ?? [])),
      ...this.problemsOfDecorators([
        ...[...hosts].map(classOfInstance),
        ...wrappers.filter((wrapper) => !isSingleton(wrapper)).flatMap((w) => classOf(w) ?? []),
      ]),
    ];
    if (problems.length === 0) return;
    retireCache(this.cache);
    throw new InvalidOptionsError('CacheHierarchyModule', problems);
  }

  private problemsOfRoots(): OptionProblem[] {
    const roots = [...this.modules.values()].filter(({ providers }) => providers.has(CacheBinder));
    if (roots.length <= 1) return [];
    const message =
      `was called ${roots.length} times for one application, which would have as many caches ` +
      'without knowing. Call forRoot or forRootAsync once, in the root module: it is global.';
    return [{ option: 'forRoot', message }];
  }

  /** Decorators that name a cache or a method that is not there. */
  private problemsOfDecorators(types: readonly ClassLike[]): OptionProblem[] {
    const caches = registryOf(this.cache);
    return [...new Set(types)].flatMap((type) => {
      const missing = cacheNamesOf(type).filter((name) => caches?.get(name) === undefined);
      const messages = [
        missing.map(noCacheMessage),
        strangersOf(type).map((name) => noMethodMessage(type, name)),
      ].flat();
      return messages.map((message) => ({ option: type.name, message }));
    });
  }

  private problemsOfNames(...types: (ClassLike | undefined)[][]): OptionProblem[] {
    return [...new Set(types.flat())].filter(isClass).flatMap((type) => {
      const caches = this.cachesOf(type, visibleMethodsOf(type).filter(hasDerivedKey));
      const messages = caches.flatMap((cache) => claimName(cache, type) ?? []);
      return [...new Set(messages)].map((message) => ({ option: onClass(type), message }));
    });
  }

  /** What is hidden by an override may never be called: it is refused when it is. */
  private problemsOfInstances(hosts: ReadonlySet<object>): OptionProblem[] {
    const counts = new Map<ClassLike, number>();
    for (const type of [...hosts].map(classOfInstance).filter(derivesKeys)) {
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    return [...counts].flatMap(([type, count]) => {
      if (count === 1) return [];
      const problem = { option: onClass(type), message: instancesMessage(count) };
      if (visibleMethodsOf(type).some(hasDerivedKey)) return [problem];
      const text = `${problem.option}: ${problem.message}`;
      const hidden = [...methodsOf(type)].filter(hasDerivedKey);
      for (const cache of this.cachesOf(type, hidden)) refuseName(cache, type, text);
      return [];
    });
  }

  /** The caches that methods use on instances of a class. One that is missing is told of elsewhere. */
  private cachesOf(type: ClassLike, methods: readonly CacheableMethod[]): CacheHierarchy[] {
    const names = new Set(methods.map((method) => planOf(method, type).cache));
    return [...names].flatMap((name) =>
      name === undefined ? this.cache : (registryOf(this.cache)?.get(name) ?? []),
    );
  }
}

/** The caches that decorators of a class name. */
function cacheNamesOf(type: ClassLike): string[] {
  const decorated = [...methodsOf(type), ...othersOf(type)];
  const names = decorated.map(({ cache }) => cache ?? configOf(type).cache);
  return [...new Set(names)].filter((name) => name !== undefined);
}

/** The methods that decorators of a class name and that are not `@Cacheable`. */
function strangersOf(type: ClassLike): (string | symbol)[] {
  const known = new Set([...methodsOf(type)].map(({ name }) => name));
  const named = [...othersOf(type)].flatMap(({ method }) => method ?? []);
  return named.filter((name) => !known.has(name));
}

function isSingleton(wrapper: InstanceWrapper): boolean {
  return !wrapper.isAlias && !wrapper.isTransient && wrapper.isDependencyTreeStatic();
}

function isRequestScoped(wrapper: InstanceWrapper): boolean {
  return !wrapper.isAlias && !wrapper.isNotMetatype && !wrapper.isDependencyTreeStatic();
}

function isTransient(wrapper: InstanceWrapper): boolean {
  return wrapper.isTransient && !wrapper.isNotMetatype && !isRequestScoped(wrapper);
}

function classOf({ metatype }: InstanceWrapper): ClassLike | undefined {
  return typeof metatype === 'function' ? (metatype as ClassLike) : undefined;
}

function classOfInstance(instance: object): ClassLike {
  return instance.constructor as ClassLike;
}

function isClass(type: ClassLike | undefined): type is ClassLike {
  return type?.prototype !== undefined;
}

function hasDerivedKey({ key }: CacheableMethod): boolean {
  return key === undefined;
}

function derivesKeys(type: ClassLike | undefined): type is ClassLike {
  return isClass(type) && [...methodsOf(type)].some(hasDerivedKey);
}

function onClass(type: ClassLike): string {
  return `@Cacheable on ${type.name}`;
}

function requestScopeWarning(name: string): string {
  return (
    `${name} is request-scoped and has @Cacheable methods without a key: what one request loaded ` +
    'answers all others. Give them a key that names what the result depends on, such as the user ' +
    'or the tenant.'
  );
}

function transientWarning(name: string): string {
  return (
    `${name} is transient and has @Cacheable methods without a key: its instances answer each ` +
    "other's calls. Give them a key that names what the result depends on, or make it a singleton."
  );
}

function instancesMessage(count: number): string {
  return (
    `has ${count} instances, which would share derived keys and answer each other's calls. ` +
    'Provide it in one module and export it from there, or give its @Cacheable methods a key ' +
    'that differs between them.'
  );
}

/** Of two caches for one result nobody could say which one an invalidation has to reach. */
function problemsOfHandlers(types: readonly (ClassLike | undefined)[]): OptionProblem[] {
  return [...new Set(types)].flatMap((type) => {
    if (!isClass(type)) return [];
    const prototype = type.prototype as Record<string | symbol, unknown>;
    const twice = visibleMethodsOf(type).filter(({ name }) => {
      const handler = prototype[name];
      return typeof handler === 'function' && cachedHandlerOf(handler) !== undefined;
    });
    return twice.map(({ name }) => ({
      option: `@CacheResponse on ${type.name}.${nameOfMethod(name)}`,
      message:
        'is on a method with @Cacheable, which would keep its result twice. Remove one: @CacheResponse keeps ' +
        'responses with status and headers, @Cacheable what the method returns, whoever calls it.',
    }));
  });
}
