import { varyOf } from './cache-control.js';
import type { CachedRoute } from './cached-route.js';
import { namesTag } from './entity-tag.js';
import { applyChange } from './head-change.js';
import type { HttpExchange } from './http-exchange.js';
import type { ResponseSnapshot } from './response-snapshot.js';

/** What a cache says in `Cache-Status` of what it did: RFC 9211. */
export type CacheStatus = 'hit' | 'fwd=miss; stored' | 'fwd=miss' | 'fwd=bypass';

/** With the name of this cache. */
const STATUS_FIELDS: Readonly<Record<CacheStatus, string>> = {
  hit: 'nestjs-cache-hierarchy; hit',
  'fwd=miss; stored': 'nestjs-cache-hierarchy; fwd=miss; stored',
  'fwd=miss': 'nestjs-cache-hierarchy; fwd=miss',
  'fwd=bypass': 'nestjs-cache-hierarchy; fwd=bypass',
};

/** Says in `Cache-Status` what the cache did, after what caches nearer to the origin said. */
export function tellStatus(exchange: HttpExchange, status: CacheStatus): void {
  const before = exchange.header('cache-status');
  const own = STATUS_FIELDS[status];
  exchange.setHeader('cache-status', before === undefined ? own : `${String(before)}, ${own}`);
}

/** Writes the head of a stored response: status, what the handler did to the rest, and its age. */
export function replayHead(
  exchange: HttpExchange,
  { status, head, madeAt }: ResponseSnapshot,
  wallNow: number,
): void {
  exchange.status = status;
  applyChange(exchange, head);
  exchange.setHeader('age', String(Math.max(0, Math.floor((wallNow - madeAt) / 1_000))));
}

/**
 * Completes the head of a response that is stored: its entity tag, what it varies on, how clients are to
 * keep it. One that the client has is a 304; its body is returned all the same, since interceptors outside
 * expect one, and the adapters leave it out.
 *
 * Where the handler says nothing of caching, clients are told to ask each time whether what they have is
 * still right: nobody could tell them that a tag was invalidated.
 */
export function completeHead(
  exchange: HttpExchange,
  { options }: CachedRoute,
  { etag, status }: ResponseSnapshot,
): void {
  const isSilent =
    exchange.header('cache-control') === undefined && exchange.header('expires') === undefined;
  if (isSilent)
    exchange.setHeader(
      'cache-control',
      options.scope === 'user' ? 'private, no-cache' : 'no-cache',
    );
  if (options.vary.length > 0) nameVary(exchange, options.vary);
  if (etag === undefined) return;
  exchange.setHeader('etag', etag);
  if (status === 200 && namesTag(exchange.requestHeader('if-none-match'), etag))
    exchange.status = 304;
}

/** Adds to what a response says it varies on. */
function nameVary(exchange: HttpExchange, names: readonly string[]): void {
  const vary = exchange.header('vary') ?? [];
  const named = varyOf(vary);
  const unnamed = names.filter((name) => !named.includes(name));
  if (unnamed.length > 0) exchange.setHeader('vary', [vary, unnamed].flat().join(', '));
}
