import { cachedHandlerOf } from '../http/route-metadata.js';
import { nameOfMethod, prototypesOf, type ClassLike } from './cacheable-methods.js';

/** Returns the methods of a class with `@CacheResponse`, its own and those that it inherits. */
export function methodsWithCacheResponse(type: ClassLike): string[] {
  const methods = new Map<string | symbol, unknown>();
  for (const prototype of prototypesOf(type)) {
    for (const name of Reflect.ownKeys(prototype)) {
      if (methods.has(name)) continue;
      methods.set(name, Object.getOwnPropertyDescriptor(prototype, name)?.value);
    }
  }
  return [...methods].flatMap(([name, method]) =>
    typeof method === 'function' && cachedHandlerOf(method) ? nameOfMethod(name) : [],
  );
}

/** What is said of such methods where the class is no controller. */
export function strayHandlersWarning(type: ClassLike, methods: readonly string[]): string {
  return (
    `@CacheResponse does nothing on ${methods.map((method) => `${type.name}.${method}`).join(', ')}: it is for ` +
    'the routes of controllers. Use @Cacheable, which keeps what a method returns, whoever calls it.'
  );
}
