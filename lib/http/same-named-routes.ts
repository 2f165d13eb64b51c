import { prototypesOf, type ClassLike } from '../binding/cacheable-methods.js';
import type { OptionProblem } from '../errors.js';
import { CachedRoute } from './cached-route.js';
import { cachedHandlerOf } from './route-metadata.js';

/**
 * Returns what stands against controllers of one name: with a `key` of its own, which takes the place of the
 * path, a route would answer for the one of the other controller.
 */
export function problemsOfRoutes(controllers: readonly ClassLike[]): OptionProblem[] {
  const routes = [...new Set(controllers)].flatMap(routesOf);
  const names = new Set(routes.filter(({ options }) => options.keyOf).map(({ name }) => name));
  return [...names].flatMap((name) => {
    const [first, ...others] = routes.filter((route) => route.name === name);
    if (others.length === 0) return [];
    const message =
      `is there in ${others.length + 1} controllers of that name, and a key of its own has no path in it, so ` +
      'they would answer for each other. Rename one, or leave out the key.';
    return [{ option: `@CacheResponse on ${first!.title}`, message }];
  });
}

function routesOf(type: ClassLike): CachedRoute[] {
  const routes = new Map<string | symbol, CachedRoute | undefined>();
  for (const prototype of prototypesOf(type)) {
    for (const name of Reflect.ownKeys(prototype)) {
      const handler: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof handler !== 'function' || routes.has(name)) continue;
      const cached = cachedHandlerOf(handler);
      routes.set(name, cached && new CachedRoute(type, handler, cached));
    }
  }
  return [...routes.values()].filter((route) => route !== undefined);
}
