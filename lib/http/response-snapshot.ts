import { isRecord } from '../options.js';
import { ageOf, allowsStoring, varyOf } from './cache-control.js';
import type { CachedRoute } from './cached-route.js';
import { entityTagOf } from './entity-tag.js';
import { changeOf, isHeadChange, isSame, type HeadChange } from './head-change.js';
import type { HttpExchange, ResponseHeaders } from './http-exchange.js';
import { copyData, LiveBody, type BodyKind } from './response-body.js';
import { varyDigest } from './response-key.js';

/** A response as it is kept: a plain object, but for a body that is none. */
export interface ResponseSnapshot {
  readonly status: number;
  readonly head: HeadChange;
  readonly kind: Exclude<BodyKind, 'stream'>;
  /** A copy of data, or a {@link LiveBody}. */
  readonly body: unknown;
  /** The entity tag: the handler's own, or one made of data. */
  readonly etag: string | undefined;
  /** When it was new, in milliseconds since 1970. */
  readonly madeAt: number;
  /** The request headers that matter, and a digest of what they said; `undefined` where none do. */
  readonly vary: { readonly names: readonly string[]; readonly digest: string } | undefined;
}

/** A response whose handler has just returned. */
export interface HandledResponse {
  readonly route: CachedRoute;
  readonly exchange: HttpExchange;
  /** The head of the response before the handler ran, and after. */
  readonly before: ResponseHeaders;
  readonly after: ResponseHeaders;
  /** What the handler returned, and of which kind it is. */
  readonly value: unknown;
  readonly kind: BodyKind;
}

/** Whether a response may be kept by its own word, and is one that can be. */
export function isKeepable(handled: HandledResponse): boolean {
  const { route, exchange, before, after, kind } = handled;
  return (
    kind !== 'stream' &&
    !exchange.isSent &&
    isSame(before['set-cookie'], after['set-cookie']) &&
    allowsStoring(exchange.status, after, route.options.scope === 'user') &&
    route.canVaryOn(varyOf(after['vary']))
  );
}

/** Takes the snapshot of a response that is kept. */
export function takeSnapshot(handled: HandledResponse, wallNow: number): ResponseSnapshot {
  const { route, exchange, before, after, value, kind } = handled;
  const names = [...new Set([...route.options.vary, ...varyOf(after['vary'])])].toSorted();
  const digest = varyDigest(exchange, names);
  const ownTag = after['etag'] as string | undefined;
  return {
    status: exchange.status,
    head: changeOf(before, after),
    kind: kind === 'data' ? 'data' : 'object',
    body: kind === 'data' ? copyData(value) : new LiveBody(value),
    // The text of an object has what a serializer leaves out; no tag is made of that.
    etag: ownTag ?? (kind === 'data' ? entityTagOf(JSON.stringify(value) ?? '') : undefined),
    madeAt: wallNow - ageOf(after),
    vary: digest === undefined ? undefined : { names, digest },
  };
}

/**
 * Returns what a level gave back if it is a whole snapshot. One of another process can be anything, and one
 * that was copied or written down has lost an object that was its body.
 */
export function asSnapshot(value: unknown): ResponseSnapshot | undefined {
  if (!isRecord(value) || typeof value['status'] !== 'number') return undefined;
  if (!isHeadChange(value['head'])) return undefined;
  const isWhole = value['kind'] === 'data' || value['body'] instanceof LiveBody;
  return isWhole ? (value as unknown as ResponseSnapshot) : undefined;
}

/** Whether a snapshot answers a request, as far as the headers go that it varies on. */
export function answers({ vary }: ResponseSnapshot, exchange: HttpExchange): boolean {
  return vary === undefined || varyDigest(exchange, vary.names) === vary.digest;
}
