import { request as send, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';

/** The adapters that every spec of responses runs on. */
export const ADAPTERS: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAppOptions extends ModuleMetadata {
  /** Options of the cache; `false` for an application without one. */
  readonly cache?: Parameters<typeof CacheHierarchyModule.forRoot>[0] | false;
  /** Whether the adapter parses bodies; it does unless it is told not to. */
  readonly bodyParser?: boolean;
  /** What providers are replaced by, by their tokens. */
  readonly overrides?: ReadonlyMap<symbol, unknown>;
  /** Prepares the application before it listens. */
  readonly prepare?: (app: INestApplication) => void;
}

/** An application that listens, and a client for it. */
export class HttpApp {
  private constructor(readonly nest: INestApplication) {}

  /** Starts an application with a cache on an adapter. */
  static async start(
    adapter: () => AbstractHttpAdapter,
    {
      cache = {},
      prepare,
      bodyParser = true,
      overrides = new Map(),
      imports = [],
      ...metadata
    }: HttpAppOptions,
  ): Promise<HttpApp> {
    const all = cache === false ? imports : [CacheHierarchyModule.forRoot(cache), ...imports];
    const builder = Test.createTestingModule({ ...metadata, imports: all });
    for (const [token, value] of overrides) builder.overrideProvider(token).useValue(value);
    const compiled = await builder.compile();
    const nest = compiled.createNestApplication(adapter(), { logger: false, bodyParser });
    prepare?.(nest);
    await nest.listen(0, '127.0.0.1');
    return new HttpApp(nest);
  }

  get<T>(token: Type<T>): T {
    return this.nest.get<T>(token);
  }

  get port(): number {
    return (this.nest.getHttpServer().address() as AddressInfo).port;
  }

  /** Sends a request over a connection of its own and waits for the whole answer. */
  ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Reply> {
    const { port } = this;
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, headers, agent: false };
      const request = send(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode, headers: received } = response;
          const whole = Buffer.concat(chunks).toString();
          resolve({ status: statusCode!, headers: received, body: whole });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  /** The bodies of several requests, one after the other. */
  async bodies(paths: readonly string[], asked?: Asked): Promise<string[]> {
    const bodies: string[] = [];
    for (const path of paths) bodies.push((await this.ask(path, asked)).body);
    return bodies;
  }

  close(): Promise<void> {
    return this.nest.close();
  }
}

/** What the cache says that it did. */
export function statusOf({ headers }: Reply): string {
  return String(headers['cache-status']).replace('nestjs-cache-hierarchy; ', '');
}
