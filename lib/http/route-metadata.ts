import type { ClassLike } from '../binding/cacheable-methods.js';
import type { ResponseOptions } from './cache-response-options.js';

/** What `@CacheResponse` notes on a handler. */
export interface CachedHandler {
  /** The name of the property it stands at; the function's own may be another. */
  readonly name: string | symbol;
  readonly options: ResponseOptions;
}

const CACHED_HANDLER = Symbol.for('nestjs-cache-hierarchy:cached-handler');

/** Notes on a handler that its responses are cached. */
export function markHandler(handler: object, cached: CachedHandler): void {
  Reflect.defineMetadata(CACHED_HANDLER, cached, handler);
}

/** What is noted on a handler, or `undefined`. */
export function cachedHandlerOf(handler: object): CachedHandler | undefined {
  return Reflect.getMetadata(CACHED_HANDLER, handler) as CachedHandler | undefined;
}

/** Nest's own metadata of a handler; it does not export these names in every version. */
const PAST_INTERCEPTORS = {
  __sse__: 'sends events',
  __redirect__: 'redirects',
  __renderTemplate__: 'renders a view',
} as const;
const ROUTE_ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
const VERSION = '__version__';
/** The kinds of a route's arguments that are `@Res()` and `@Next()`. */
const RESPONSE_ARGUMENTS = new Set(['1', '2']);

/** Returns why the response of a handler is not what its interceptors see, or `undefined`. */
export function outsideInterceptors(
  type: ClassLike,
  handler: object,
  name: string | symbol,
): string | undefined {
  for (const [key, why] of Object.entries(PAST_INTERCEPTORS)) {
    if (Reflect.getMetadata(key, handler) !== undefined) return why;
  }
  const given = metadataOfParameters(ROUTE_ARGUMENTS, type, name) ?? {};
  const takesResponse = Object.keys(given).some((key) =>
    RESPONSE_ARGUMENTS.has(key.split(':')[0]!),
  );
  if (!takesResponse || metadataOfParameters(PASSTHROUGH, type, name) === true) return undefined;
  return 'takes @Res() or @Next() without { passthrough: true }';
}

/** A mixin that copies methods into a class leaves their metadata at the class that they come from. */
function metadataOfParameters(key: string, type: ClassLike, name: string | symbol): unknown {
  const declaredBy = (type.prototype as { constructor?: object }).constructor ?? type;
  return Reflect.getMetadata(key, type, name) ?? Reflect.getMetadata(key, declaredBy, name);
}

/** The version of the API that a handler serves, as text; controllers of one name can differ in it alone. */
export function versionOf(type: object, handler: object): string {
  const version: unknown =
    Reflect.getMetadata(VERSION, handler) ?? Reflect.getMetadata(VERSION, type);
  return version === undefined ? '' : `@${[version].flat().map(String).join('|')}`;
}
