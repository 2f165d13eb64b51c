import type { IncomingHttpHeaders } from 'node:http';
import type { Duration } from '../durations.js';
import { OptionReader } from '../options.js';

/** What the requests of Express and Fastify have in common. */
export interface CachedRequest {
  readonly method: string;
  readonly url: string;
  readonly hostname: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Who asks, where a guard or a middleware says so. */
  readonly user?: unknown;
}

/** Options of `@CacheResponse`. `R` is the request that their functions are given. */
export interface CacheResponseOptions<R extends object = CachedRequest> {
  /**
   * How long a response is kept, whatever its own `Cache-Control` says of `max-age`.
   *
   * @default what the response says with `s-maxage`, `max-age` or `Expires`, else the cache's own `ttl`
   */
  readonly ttl?: Duration;
  /**
   * Tags of the response, or a function that makes them from the request; `cache.invalidateTags` reaches
   * it by them.
   *
   * @default no tags
   */
  readonly tags?: string | readonly string[] | ((request: R) => string | readonly string[]);
  /**
   * Makes what stands for host, path and query in the key: of a query of which only some parameters
   * matter, or where something else of the request does. The route, the user and what the response
   * varies on stay in the key beside it. A request for which it returns `undefined` is not cached.
   *
   * @default host, path and query, the parameters of the query in order of their names
   */
  readonly key?: (request: R) => string | undefined;
  /**
   * Who may share a response: everybody with `'public'`, also those who send credentials; the requests
   * of one user with `'user'`, which needs `identify`.
   *
   * @default everybody without credentials: requests with `Authorization`, a cookie or a `user` are not
   * cached
   */
  readonly scope?: 'public' | 'user';
  /** Names the user of a request, for `scope: 'user'`. A request for which it returns nothing is not cached. */
  readonly identify?: (request: R) => string | number | undefined | null;
  /**
   * Request headers that the response depends on and its own `Vary` does not name. They are added to it.
   *
   * @default what the response's own `Vary` names
   */
  readonly vary?: string | readonly string[];
}

/** The options of a route, checked. */
export interface ResponseOptions {
  readonly ttlMs: number | undefined;
  readonly tagsOf: (request: object) => string | readonly string[];
  readonly keyOf: ((request: object) => string | undefined) | undefined;
  readonly scope: 'public' | 'user' | undefined;
  readonly identify: (request: object) => string | number | undefined | null;
  /** In lower case. */
  readonly vary: readonly string[];
}

const HEADER_NAME = /^(?!\*$)[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Checks the options of a route.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveResponseOptions<R extends object>(
  subject: string,
  options: CacheResponseOptions<R> | undefined,
): ResponseOptions {
  const read = new OptionReader(subject, options);
  const resolved: ResponseOptions = {
    ttlMs: read.optionalDuration('ttl'),
    tagsOf: readTags(read),
    keyOf: read.callback('key', undefined),
    scope: readScope(read),
    identify: read.callback('identify', () => undefined),
    vary: readVary(read),
  };
  read.finish();
  return Object.freeze(resolved);
}

function readTags(read: OptionReader): ResponseOptions['tagsOf'] {
  const tags = read.raw('tags') ?? [];
  if (typeof tags === 'function') return tags as ResponseOptions['tagsOf'];
  if (!isTextOrTexts(tags))
    read.reject('tags', 'must be a string, an array of strings or a function that returns them');
  return () => tags as string | readonly string[];
}

function readScope(read: OptionReader): ResponseOptions['scope'] {
  const scope = read.oneOf('scope', ['none', 'public', 'user'] as const, 'none');
  const identifies = read.raw('identify') !== undefined;
  if (read.raw('scope') === 'none') read.reject('scope', `must be 'public' or 'user'`);
  if (scope === 'user' && !identifies)
    read.reject('identify', `must be a function that names the user, for scope: 'user'`);
  if (scope !== 'user' && identifies) read.reject('identify', `belongs to scope: 'user'`);
  return scope === 'none' ? undefined : scope;
}

function readVary(read: OptionReader): readonly string[] {
  const vary = read.raw('vary') ?? [];
  const names = isTextOrTexts(vary) ? [vary].flat().map((name) => name.toLowerCase()) : [''];
  if (!names.every((name) => HEADER_NAME.test(name)))
    read.reject('vary', 'must be the name of a request header, or an array of them');
  return Object.freeze([...new Set(names)].toSorted());
}

function isTextOrTexts(value: unknown): value is string | string[] {
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  return texts.every((text) => typeof text === 'string');
}
