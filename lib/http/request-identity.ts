import { quote } from '../binding/quoted-text.js';
import { InvalidArgumentError, show } from '../errors.js';
import type { CachedRoute } from './cached-route.js';
import type { HttpExchange } from './http-exchange.js';
import { digestOf, targetOf, type RequestIdentity } from './response-key.js';

/**
 * Returns what the key of a request is made of, or `undefined` for one that is not to be cached: one for a
 * part, one with a body, on which its response may depend, one with credentials where the route does not
 * say who may share its responses, one of a user whom the route can not name, one for which the route has no
 * key.
 *
 * @throws {InvalidArgumentError} when a function of the route returns what has no place in a key
 */
export function identityOf(
  route: CachedRoute,
  exchange: HttpExchange,
): RequestIdentity | undefined {
  const { scope } = route.options;
  if (exchange.requestHeader('range') !== undefined || hasBody(exchange)) return undefined;
  if (scope === undefined && hasCredentials(exchange)) return undefined;
  const user = scope === 'user' ? userOf(route, exchange) : undefined;
  if (scope === 'user' && user === undefined) return undefined;
  const target = route.options.keyOf === undefined ? targetOf(exchange) : ownKey(route, exchange);
  return target === undefined ? undefined : { target, user };
}

function hasBody(exchange: HttpExchange): boolean {
  if (exchange.requestHeader('transfer-encoding') !== undefined) return true;
  const length = exchange.requestHeader('content-length');
  return length !== undefined && Number(length) !== 0;
}

/** Whether a request says for whom it is: its response may be for nobody else. */
function hasCredentials(exchange: HttpExchange): boolean {
  const { user } = exchange;
  if (user !== undefined && user !== null) return true;
  return (
    exchange.requestHeader('authorization') !== undefined ||
    exchange.requestHeader('cookie') !== undefined
  );
}

/** All whom a function can not name are not one user: what stands for nothing is nobody. */
function userOf({ title, options }: CachedRoute, { request }: HttpExchange): string | undefined {
  const user: unknown = options.identify(request);
  if (user === undefined || user === null || user === '' || Number.isNaN(user)) return undefined;
  if (typeof user === 'string' || typeof user === 'number' || typeof user === 'bigint')
    return digestOf(`${typeof user} ${user}`);
  throw new InvalidArgumentError(
    `identify of @CacheResponse on ${title} must return a string or a number, got ${show(user)}.`,
  );
}

function ownKey({ title, options }: CachedRoute, { request }: HttpExchange): string | undefined {
  const key: unknown = options.keyOf!(request);
  if (key === undefined) return undefined;
  if (typeof key === 'string') return quote(key);
  throw new InvalidArgumentError(
    `key of @CacheResponse on ${title} must return a string or undefined, got ${show(key)}.`,
  );
}
