import type { IncomingHttpHeaders } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { comingCookies } from './coming-cookies.js';
import type { FastifyReply } from './fastify-texts.js';
import type { HostNames } from './host-names.js';

/** A field of a response. */
export type HeaderValue = string | readonly string[];

/** The fields of a response by name, in lower case. */
export type ResponseHeaders = Readonly<Record<string, HeaderValue>>;

interface NativeRequest {
  readonly headers: IncomingHttpHeaders;
  readonly user?: unknown;
}

interface NativeResponse {
  readonly statusCode: number;
  getHeader(name: string): string | number | readonly string[] | undefined;
  removeHeader(name: string): void;
  readonly raw?: Pick<NativeResponse, 'removeHeader'>;
  getHeaders(): Record<string, string | number | readonly string[] | undefined>;
}

/** One request and its response, alike on Express and Fastify. */
export class HttpExchange {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  /** Kept, since Fastify looks for those to add each time that it is asked for them. */
  readonly #requestHeaders: IncomingHttpHeaders;

  constructor(
    private readonly adapter: AbstractHttpAdapter,
    readonly request: object,
    private readonly response: object,
    private readonly hostNames: HostNames,
  ) {
    this.method = String(adapter.getRequestMethod(request));
    this.url = String(adapter.getRequestUrl(request));
    this.#requestHeaders = (request as NativeRequest).headers;
  }

  /** In lower case, without the port. */
  get hostname(): string {
    return this.hostNames.of(this.adapter, this.request, this.#requestHeaders);
  }

  /** The reply of Fastify; `undefined` on any other adapter. */
  get fastifyReply(): FastifyReply | undefined {
    return this.adapter.getType() === 'fastify' ? (this.response as FastifyReply) : undefined;
  }

  get user(): unknown {
    return (this.request as NativeRequest).user;
  }

  /** A field of the request, `undefined` where it was not sent. */
  requestHeader(name: string): string | undefined {
    const value = this.#requestHeaders[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get status(): number {
    return (this.response as NativeResponse).statusCode;
  }

  set status(status: number) {
    if (status !== this.status) this.adapter.status(this.response, status);
  }

  /** Whether nothing can be said in the head of the response any more. */
  get isSent(): boolean {
    return Boolean(this.adapter.isHeadersSent(this.response));
  }

  /** The fields of the response as they are now. */
  headers(): ResponseHeaders {
    const headers: Record<string, HeaderValue> = {};
    for (const [name, value] of Object.entries((this.response as NativeResponse).getHeaders())) {
      if (value !== undefined) headers[name.toLowerCase()] = fieldOf(value);
    }
    return headers;
  }

  /** The same, where cookies that are written when the response is sent count as set. */
  headersWithCookies(): ResponseHeaders {
    const headers = this.headers();
    const coming = comingCookies(this.request, this.response);
    if (coming.length === 0) return headers;
    return { ...headers, 'set-cookie': [headers['set-cookie'] ?? [], coming].flat() };
  }

  /** A field of the response as it is now, `undefined` where it is not set. */
  header(name: string): HeaderValue | undefined {
    const value = (this.response as NativeResponse).getHeader(name);
    return value === undefined ? undefined : fieldOf(value);
  }

  removeHeader(name: string): void {
    const response = this.response as NativeResponse;
    response.removeHeader(name);
    // Not every Fastify 5 takes away what middleware has set on the response of Node.
    response.raw?.removeHeader(name);
  }

  setHeader(name: string, value: HeaderValue): void {
    this.adapter.setHeader(this.response, name, value as string);
  }
}

function fieldOf(value: string | number | readonly string[]): HeaderValue {
  return typeof value === 'object' ? value.map(String) : String(value);
}
