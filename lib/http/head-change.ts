import { isRecord } from '../options.js';
import type { HeaderValue, HttpExchange, ResponseHeaders } from './http-exchange.js';

/**
 * What a handler did to the head of its response. What was there before is somebody else's, a middleware's or
 * a guard's, and anew for each request.
 */
export interface HeadChange {
  /** Fields that it set or replaced. */
  readonly set: ResponseHeaders;
  /** What it added at the end of fields that were there; `undefined` for nothing. */
  readonly added: ResponseHeaders | undefined;
  /** Fields that it took away; `undefined` for none. */
  readonly removed: readonly string[] | undefined;
}

/** What is about one connection, one moment or one client. */
const NOT_KEPT = new Set([
  'age',
  'cache-status',
  'connection',
  'content-length',
  'date',
  'etag',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Tells what was done to a head, as far as it is kept. */
export function changeOf(before: ResponseHeaders, after: ResponseHeaders): HeadChange {
  const set: Record<string, HeaderValue> = {};
  const added: Record<string, HeaderValue> = {};
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (NOT_KEPT.has(name) || isSame(old, value)) continue;
    const more = old && addedTo(old, value);
    if (more === undefined) set[name] = value;
    else added[name] = more;
  }
  const removed = Object.keys(before).filter((name) => !NOT_KEPT.has(name) && !(name in after));
  return {
    set,
    added: Object.keys(added).length === 0 ? undefined : added,
    removed: removed.length === 0 ? undefined : removed,
  };
}

/** Does to a head what was done to another one. */
export function applyChange(exchange: HttpExchange, { set, added, removed }: HeadChange): void {
  for (const name of Object.keys(set)) exchange.setHeader(name, set[name]!);
  if (added !== undefined) {
    for (const [name, more] of Object.entries(added))
      exchange.setHeader(name, joined(exchange.header(name), more));
  }
  if (removed !== undefined) for (const name of removed) exchange.removeHeader(name);
}

/** Makes a head what it was. */
export function restoreHead(exchange: HttpExchange, before: ResponseHeaders): void {
  const after = exchange.headers();
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = before[name];
    if (isSame(value, after[name])) continue;
    // Fastify adds to cookies that are there.
    exchange.removeHeader(name);
    if (value !== undefined) exchange.setHeader(name, value);
  }
}

/** Whether something of another process is such a change. */
export function isHeadChange(value: unknown): value is HeadChange {
  if (!isRecord(value) || !isRecord(value['set'])) return false;
  const { added, removed } = value;
  return (
    (added === undefined || isRecord(added)) && (removed === undefined || Array.isArray(removed))
  );
}

/** Whether two fields say the same. */
export function isSame(one: HeaderValue | undefined, other: HeaderValue | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** What stands after an old value in a new one; `undefined` where the new one does not begin with it. */
function addedTo(old: HeaderValue, value: HeaderValue): HeaderValue | undefined {
  if (typeof old === 'string' && typeof value === 'string') {
    const rest = value.startsWith(old) ? value.slice(old.length) : '';
    return /^\s*,\s*(?<more>.+)$/s.exec(rest)?.groups?.['more'];
  }
  const [olds, values] = [[old].flat(), [value].flat()];
  const isLonger = values.length > olds.length && olds.every((one, at) => one === values[at]);
  return isLonger ? values.slice(olds.length) : undefined;
}

function joined(here: HeaderValue | undefined, more: HeaderValue): HeaderValue {
  if (here === undefined) return more;
  return typeof here === 'string' && typeof more === 'string'
    ? `${here}, ${more}`
    : [here, more].flat();
}
