import {
  identifier,
  nameOfClass,
  nameOfMethod,
  type ClassLike,
} from '../binding/cacheable-methods.js';
import type { ResponseOptions } from './cache-response-options.js';
import { outsideInterceptors, versionOf, type CachedHandler } from './route-metadata.js';

/** More names than these are not learnt: a response that varies on so much is not worth keeping. */
const MAX_VARY_NAMES = 16;

/** A route whose responses are cached, with what has been learnt of it. */
export class CachedRoute {
  /** Class and method, as messages have them. */
  readonly title: string;
  /** The route's part of each key. */
  readonly name: string;
  readonly options: ResponseOptions;
  /** Why nothing of it can be cached, or `undefined`. */
  readonly hindrance: string | undefined;
  #varyNames: readonly string[];
  readonly #told = new Set<string>();

  constructor(type: ClassLike, handler: object, { name, options }: CachedHandler) {
    this.title = `${identifier(nameOfClass(type))}.${nameOfMethod(name)}`;
    this.name = this.title + versionOf(type, handler);
    this.options = options;
    this.hindrance = outsideInterceptors(type, handler, name);
    this.#varyNames = options.vary;
  }

  /** The request headers that are known to matter, in order. Replaced as a whole when there are more. */
  get varyNames(): readonly string[] {
    return this.#varyNames;
  }

  /** Whether a response that varies on these, too, can be kept. */
  canVaryOn(names: readonly string[]): boolean {
    return this.#with(names).length <= MAX_VARY_NAMES;
  }

  /** Notes that these matter as well. Returns whether that is news. */
  learn(names: readonly string[]): boolean {
    const all = this.#with(names);
    if (all.length === this.#varyNames.length || all.length > MAX_VARY_NAMES) return false;
    this.#varyNames = all;
    return true;
  }

  /** Whether it is the first time that this is to be said of the route. */
  firstTime(code: string): boolean {
    if (this.#told.has(code)) return false;
    this.#told.add(code);
    return true;
  }

  #with(names: readonly string[]): readonly string[] {
    return [...new Set([...this.#varyNames, ...names])].toSorted();
  }
}

/** The routes of an application that were asked for: as many as it has in its code, at most. */
export class CachedRoutes {
  readonly #routes = new WeakMap<object, WeakMap<object, CachedRoute>>();

  /** Returns the route of a handler that was asked for before. */
  known(type: ClassLike, handler: object): CachedRoute | undefined {
    return this.#routes.get(type)?.get(handler);
  }

  /** Returns the route of a handler; `added` hears of one that is asked for the first time. */
  of(
    type: ClassLike,
    handler: object,
    cached: CachedHandler,
    added: (route: CachedRoute) => void,
  ): CachedRoute {
    const known = this.known(type, handler);
    if (known !== undefined) return known;
    const ofClass = this.#routes.get(type) ?? new WeakMap<object, CachedRoute>();
    this.#routes.set(type, ofClass);
    const route = new CachedRoute(type, handler, cached);
    ofClass.set(handler, route);
    added(route);
    return route;
  }
}
