import { createHash } from 'node:crypto';
import { unescape } from 'node:querystring';
import { isSimple, quote } from '../binding/quoted-text.js';
import { DEFAULT_MAX_KEY_LENGTH } from '../memory/cache-key.js';
import type { CachedRoute } from './cached-route.js';
import type { HttpExchange } from './http-exchange.js';

/** What the key of a request is made of, apart from the headers that its response varies on. */
export interface RequestIdentity {
  /** What the route's own `key` says, else host, path and sorted query: quoted. */
  readonly target: string;
  /** A digest of the user; `undefined` where the response is for more than one. */
  readonly user: string | undefined;
}

/**
 * Returns the key of a request: route, target, user, and the values of the headers that matter, each
 * quoted, so that no two requests come to one key. Users and values are in it as digests: keys are shown
 * in events and inspected.
 */
export function responseKey(
  route: CachedRoute,
  { target, user }: RequestIdentity,
  vary: string | undefined,
): string {
  const ofUser = user === undefined ? '' : ` user:${user}`;
  const ofVary = vary === undefined ? '' : ` vary:${vary}`;
  // Joined they are one text, where added they are a tree of texts, which takes longer to look through.
  const key = [route.name, ' ', target, ofUser, ofVary].join('');
  return key.length <= DEFAULT_MAX_KEY_LENGTH && key.isWellFormed() ? key : `#${digestOf(key)}`;
}

/**
 * Returns host, path and query of a request, quoted; the order of parameters with different names is left
 * out.
 */
export function targetOf({ hostname, url }: HttpExchange): string {
  const at = url.indexOf('?');
  if (at >= 0) return quote(hostname + sortedUrl(url, at));
  // To look at each, and not at both together, saves to put them together twice.
  return isSimple(hostname) && isSimple(url)
    ? ['"', hostname, url, '"'].join('')
    : quote(hostname + url);
}

function sortedUrl(url: string, at: number): string {
  const parameters = url
    .slice(at + 1)
    .split('&')
    .filter(Boolean);
  const named = parameters.map((parameter) => ({ parameter, name: nameOf(parameter) }));
  const sorted = named.toSorted((one, other) => compare(one.name, other.name));
  return `${url.slice(0, at)}?${sorted.map(({ parameter }) => parameter).join('&')}`;
}

/** A digest of what a request says in these headers; `undefined` for no headers. */
export function varyDigest(exchange: HttpExchange, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return digestOf(
    JSON.stringify(names.map((name) => [name, exchange.requestHeader(name)?.trim()])),
  );
}

/** A digest that stands for a text in a key. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/**
 * `a[]=1` and `a[x]=2` belong to one name: parsers put them together in their order. So they do with `a+b`
 * and `a%20b`, and with what they can not decode. Lenient is right: names that are one for us alone keep an
 * order that does not matter.
 */
function nameOf(parameter: string): string {
  const name = parameter.split('=', 1)[0]!;
  return unescape(name.replaceAll('+', ' ')).split('[', 1)[0]!;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
