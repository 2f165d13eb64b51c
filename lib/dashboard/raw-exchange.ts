import type { IncomingMessage, ServerResponse } from 'node:http';
import { RefusedRequest } from './refused-request.js';

/** Far more than a key, its namespaces or a handful of tags take. */
const MAX_BODY_BYTES = 64 * 1_024;

/** What a request of Express and one of Fastify have in common, as far as it is needed. */
interface AdapterRequest {
  readonly raw?: IncomingMessage;
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface AdapterReply {
  readonly raw?: ServerResponse;
  hijack?(): unknown;
}

/** Sent with everything: a page that runs nothing but its own script, and that nobody puts into a frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // What packs bodies must not hold events back.
  'cache-control': 'no-cache, no-transform',
};

/** Sets the headers of every answer, that of a guard which refuses included. */
export function setHeaders(response: object): void {
  const { raw = response as ServerResponse } = response as AdapterReply;
  for (const [name, value] of Object.entries(HEADERS)) raw.setHeader(name, value);
}

/**
 * A request and its response as Node has them, alike on Express and Fastify. Nest and Fastify do nothing more to
 * an answer that is written here: no interceptor, serializer or hook touches it.
 */
export class RawExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #adapted: AdapterRequest;

  constructor(request: object, response: object) {
    this.#adapted = request;
    const reply = response as AdapterReply;
    reply.hijack?.();
    this.request = this.#adapted.raw ?? (request as IncomingMessage);
    this.response = reply.raw ?? (response as ServerResponse);
  }

  /** The path that was asked for, prefixes included. */
  get path(): string {
    const { originalUrl = this.request.url ?? '' } = this.#adapted;
    return originalUrl.split('?', 1)[0]!;
  }

  /** A part of the route's path. */
  param(name: string): string {
    return this.#adapted.params?.[name] ?? '';
  }

  /** A field of the request; `undefined` where it was not sent. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /**
   * Returns the body, which is JSON.
   *
   * @throws {RefusedRequest} when it is not, or too large
   */
  async json(): Promise<unknown> {
    const { body } = this.#adapted;
    if (Number(this.header('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    // An application can have switched off what parses bodies, or have it leave them as they are.
    if (body === undefined) return parsed(await this.#read());
    if (typeof body === 'string' || Buffer.isBuffer(body)) return parsed(String(body));
    return body;
  }

  /** Answers with a whole body. */
  send(status: number, type: string, body: string | Buffer): void {
    this.response.statusCode = status;
    this.response.setHeader('content-type', `${type}; charset=utf-8`);
    this.response.end(body);
  }

  async #read(): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Leaving the loop must not cut off the answer.
    const read = this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of read) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedRequest(400, 'The body must be JSON.');
  }
}

function tooLarge(): RefusedRequest {
  return new RefusedRequest(413, `The body must have at most ${MAX_BODY_BYTES} bytes.`);
}
