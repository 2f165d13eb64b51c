import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as send, type ClientRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule, type CacheDashboardOptions } from 'nestjs-cache-hierarchy/dashboard';
import { FakeClock } from 'nestjs-cache-hierarchy/testing';
import { DASHBOARD_SURROUNDINGS } from '../../lib/dashboard/cache-dashboard.module-definition.js';
import type {
  Activity,
  DashboardHello,
  DashboardSample,
} from '../../lib/dashboard/dashboard-state.js';
import { HttpApp, type HttpAppOptions } from './http-app.js';

export interface DashboardAppOptions extends HttpAppOptions {
  readonly cache?: Parameters<typeof CacheHierarchyModule.forRoot>[0];
  /** Options of the dashboard; `undefined` where the imports bring it. */
  readonly dashboard?: Partial<CacheDashboardOptions>;
}

/** Lets everybody in. */
export const OPEN = { canActivate: () => true };

/** The files that stand for the page, and whoever has the folder. */
export const PAGE = {
  'index.html': '<link href="{{base}}dashboard.css"><script src="{{base}}dashboard.js"></script>',
  'dashboard.js': 'export {};',
  'dashboard.css': 'body {}',
} as const;

/** An application with a dashboard, whose time stands still, and clients of it. */
export class DashboardApp {
  readonly #streams: EventStream[] = [];

  private constructor(
    readonly http: HttpApp,
    readonly clock: FakeClock,
    private readonly folder: string,
  ) {}

  static async start(
    adapter: () => AbstractHttpAdapter,
    { dashboard = { guard: OPEN }, cache, imports = [], ...options }: DashboardAppOptions = {},
  ): Promise<DashboardApp> {
    const clock = new FakeClock();
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-page-'));
    for (const [name, text] of Object.entries(PAGE)) writeFileSync(join(folder, name), text);
    const pageFolder = pathToFileURL(`${folder}/`);
    const module = CacheDashboardModule.forRoot({ guard: OPEN, ...dashboard });
    try {
      const http = await HttpApp.start(adapter, {
        ...options,
        cache: { clock, report: () => {}, ...cache },
        imports: imports.length > 0 ? imports : [module],
        overrides: new Map([[DASHBOARD_SURROUNDINGS, { clock, pageFolder }]]),
      });
      return new DashboardApp(http, clock, folder);
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Opens a stream of events. */
  async watch(path = '/cache/events', headers: Record<string, string> = {}): Promise<EventStream> {
    const stream = await EventStream.open(this.http.port, path, headers);
    this.#streams.push(stream);
    return stream;
  }

  /** Asks for an action as the page does. */
  act(
    action: string,
    body: unknown,
    headers: Record<string, string | undefined> = {},
  ): ReturnType<HttpApp['ask']> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      'x-cache-dashboard': '1',
      ...headers,
    };
    const sent = Object.entries(all).filter(([, value]) => value !== undefined);
    return this.http.ask(`/cache/actions/${action}`, {
      method: 'POST',
      headers: Object.fromEntries(sent),
      body: text,
    });
  }

  /** Closes the application, and then its clients. */
  async close(): Promise<void> {
    await this.http.close();
    for (const stream of this.#streams) stream.leave();
    rmSync(this.folder, { recursive: true });
  }
}

interface Told {
  readonly hello: DashboardHello;
  readonly sample: DashboardSample;
  readonly activity: Activity;
}

/** A client of server-sent events. */
export class EventStream {
  readonly #blocks: string[] = [];
  #rest = '';
  #wake = (): void => {};
  #ended = false;

  private constructor(
    private readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const blocks = (this.#rest + chunk).split('\n\n');
      this.#rest = blocks.pop()!;
      this.#blocks.push(...blocks);
      this.#wake();
    });
    response.on('error', () => {});
    response.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  static open(port: number, path: string, headers: Record<string, string>): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const request = send({ host: '127.0.0.1', port, path, headers, agent: false });
      request.on('response', (response) => resolve(new EventStream(request, response)));
      request.on('error', reject);
      request.end();
    });
  }

  /** The next event of this kind; those before it are skipped, and lost. */
  async next<E extends keyof Told>(event: E): Promise<Told[E]> {
    for (;;) {
      const block = await this.#next();
      if (block === undefined) throw new Error(`The stream has ended before ${event}.`);
      const [head, data] = block.split('\ndata: ');
      if (head === `event: ${event}`) return JSON.parse(data!) as Told[E];
    }
  }

  /** Waits for the end, and returns what came before it. */
  async ended(): Promise<string[]> {
    const blocks: string[] = [];
    for (let block = await this.#next(); block !== undefined; block = await this.#next())
      blocks.push(block);
    return blocks;
  }

  leave(): void {
    this.request.destroy();
  }

  async #next(): Promise<string | undefined> {
    while (this.#blocks.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#blocks.shift();
  }
}
