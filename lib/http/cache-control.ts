import type { HeaderValue, ResponseHeaders } from './http-exchange.js';

const DIRECTIVE = /([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?/g;
/** What has been heuristically cacheable since RFC 9110, without errors of the server and partial content. */
const CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414]);

/** Reads the directives of a `Cache-Control` field; one that is named only for some fields counts as a whole. */
export function directivesOf(field: HeaderValue | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const [, name, quoted, plain] of textOf(field).matchAll(DIRECTIVE)) {
    const known = name!.toLowerCase();
    if (!directives.has(known)) directives.set(known, quoted ?? plain ?? '');
  }
  return directives;
}

/** Whether a response allows to be kept: for one user, or for more than one. */
export function allowsStoring(
  status: number,
  headers: ResponseHeaders,
  forOneUser: boolean,
): boolean {
  const directives = directivesOf(headers['cache-control']);
  if (directives.has('no-store') || directives.has('no-cache')) return false;
  if (directives.has('private') && !forOneUser) return false;
  return CACHEABLE.has(status) && !varyOf(headers['vary']).includes('*');
}

/** Whether a response must not be an answer once it is not fresh: RFC 9111, 4.2.4. */
export function forbidsStale(headers: ResponseHeaders): boolean {
  const directives = directivesOf(headers['cache-control']);
  return ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name));
}

/** How old a response says that it is, in milliseconds: it was somebody else's before. */
export function ageOf(headers: ResponseHeaders): number {
  const seconds = textOf(headers['age']);
  return /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : 0;
}

/** How long a response says that it is fresh yet, in milliseconds; `undefined` where it says nothing. */
export function freshnessOf(headers: ResponseHeaders, wallNow: number): number | undefined {
  const directives = directivesOf(headers['cache-control']);
  const seconds = directives.get('s-maxage') ?? directives.get('max-age');
  // What can not be read must not be taken for a long life: RFC 9111, 4.2.1.
  if (seconds !== undefined)
    return /^\d+$/.test(seconds) ? Math.max(0, Number(seconds) * 1_000 - ageOf(headers)) : 0;
  if (headers['expires'] === undefined) return undefined;
  const expires = Date.parse(textOf(headers['expires']));
  return Number.isNaN(expires) ? 0 : Math.max(0, expires - wallNow);
}

/** Compression is somebody else's: what is kept is the content before it. */
const NOT_IN_CONTENT = new Set(['', 'accept-encoding']);

/** The request headers that a `Vary` field names, in lower case. */
export function varyOf(field: HeaderValue | undefined): string[] {
  return textOf(field)
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !NOT_IN_CONTENT.has(name));
}

function textOf(field: HeaderValue | undefined): string {
  return typeof field === 'string' ? field : (field ?? []).join(', ');
}
