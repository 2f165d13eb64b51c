import { types } from 'node:util';

interface SessionRequest {
  readonly session?: { readonly id?: unknown } | null;
}

/** What @fastify/cookie keeps cookies under until it writes them. */
const WAITING = 'fastify.reply.setCookies';

let unreadable = 0;

/**
 * Returns what can become a `Set-Cookie` when the response is sent and is not one before: the cookies that
 * `setCookie` of @fastify/cookie has noted, and what is in the session, which a middleware then writes.
 */
export function comingCookies(request: object, response: object): readonly string[] {
  const { session } = request as SessionRequest;
  const noted = cookiesNotedOn(response);
  if (session === undefined || session === null) return noted;
  return [...noted, textOf([session.id, session])];
}

function cookiesNotedOn(response: object): readonly string[] {
  const symbols = Object.getOwnPropertySymbols(response);
  const waiting = symbols.find(({ description }) => description === WAITING);
  if (waiting === undefined) return [];
  const cookies = (response as Record<symbol, unknown>)[waiting];
  return types.isMap(cookies) ? [...cookies].map(textOf) : [];
}

/** What has no text counts as another one each time. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return `unreadable ${(unreadable += 1)}`;
  }
}
