import type { RawExchange } from './raw-exchange.js';
import { RefusedRequest } from './refused-request.js';

/**
 * Refuses what another site has a browser send. A form can not send JSON nor a header of its own, and a script of
 * another origin can only where the application's CORS lets it: so it is asked of the browser, too, where the
 * request is from.
 *
 * @throws {RefusedRequest} with what is missing
 */
export function assertOwnPage(exchange: RawExchange): void {
  const [type] = (exchange.header('content-type') ?? '').split(';', 1);
  if (type!.trim().toLowerCase() !== 'application/json')
    throw new RefusedRequest(403, 'The content-type must be application/json.');
  if (exchange.header('x-cache-dashboard') !== '1')
    throw new RefusedRequest(403, 'The header x-cache-dashboard: 1 must be there.');
  const site = exchange.header('sec-fetch-site');
  const isOwn = site === undefined ? isOwnOrigin(exchange) : site === 'same-origin';
  if (!isOwn) throw new RefusedRequest(403, 'The request must come from the dashboard itself.');
}

/**
 * Refuses to open a stream for another site, which would take a viewer's place and, where the application's CORS
 * lets it, read it.
 *
 * @throws {RefusedRequest} when a browser says so
 */
export function assertNotOtherSite(exchange: RawExchange): void {
  const site = exchange.header('sec-fetch-site') ?? 'none';
  if (site === 'same-origin' || site === 'none') return;
  throw new RefusedRequest(403, 'The request must come from the dashboard itself.');
}

/** Old browsers tell the origin only; what is no browser tells neither. */
function isOwnOrigin(exchange: RawExchange): boolean {
  const origin = exchange.header('origin');
  if (origin === undefined) return true;
  const host = exchange.header('host') ?? exchange.header(':authority');
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
