import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { DashboardHello } from '../../lib/dashboard/dashboard-state.js';
import { dashboardHello } from './page-data.js';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES = { js: 'text/javascript', css: 'text/css', html: 'text/html' };

/** What an operation was asked for. */
export interface Asked {
  readonly action: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/**
 * Serves the page below `/admin/cache`, with and without a slash at the end, under the policy of the dashboard,
 * and says to it what a test wants it to hear.
 */
export class ScriptedServer {
  readonly asked: Asked[] = [];
  /** What the next viewer hears first. */
  hello: DashboardHello = dashboardHello();
  /** Where set, the stream is refused. */
  refusal: { readonly status: number; readonly message: string } | undefined;
  /** What operations are answered. */
  answer: { readonly status: number; readonly body: unknown } = { status: 200, body: { ok: true } };
  readonly #folder: string;
  readonly #server: Server;
  readonly #viewers = new Set<ServerResponse>();
  #port = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @param folder the page, built. */
  static async listen(folder: string): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(folder);
    await scripted.resume();
    return scripted;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get page(): string {
    return `${this.origin}/admin/cache`;
  }

  send(event: 'hello' | 'sample' | 'activity', told: unknown): void {
    for (const viewer of this.#viewers) viewer.write(eventText(event, told));
  }

  /** Waits until everybody who looks now has left. */
  async untilAllLeft(): Promise<void> {
    await Promise.all(Array.from(this.#viewers, (viewer) => once(viewer, 'close')));
  }

  /** Ends all streams; pages may come again at once. */
  drop(): void {
    for (const viewer of this.#viewers) viewer.end();
  }

  /** Stops; nobody answers at its address until it resumes. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async resume(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('cache-control', 'no-cache');
    const path = new URL(request.url!, this.origin).pathname;
    if (path === '/admin/cache') return this.#sendHtml(response, 'cache/');
    if (path === '/admin/cache/') return this.#sendHtml(response, '');
    const [, name = '', action] = /^\/admin\/cache\/(\w+(?:\.\w+)?)(?:\/(.+))?$/.exec(path) ?? [];
    if (name === 'events') return this.#stream(response);
    if (name === 'actions') return this.#act(request, response, action!);
    if (name === 'dashboard.js' || name === 'dashboard.css') return this.#sendAsset(response, name);
    response.writeHead(404).end();
  }

  async #sendHtml(response: ServerResponse, base: string): Promise<void> {
    const html = await readFile(join(this.#folder, 'index.html'), 'utf8');
    response.setHeader('content-type', TYPES.html);
    response.end(html.replaceAll('{{base}}', base));
  }

  async #sendAsset(response: ServerResponse, name: string): Promise<void> {
    response.setHeader('content-type', TYPES[name.split('.')[1] as 'js' | 'css']);
    response.end(await readFile(join(this.#folder, name)));
  }

  #stream(response: ServerResponse): void {
    if (this.refusal !== undefined) {
      const { status, message } = this.refusal;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 50\n\n${eventText('hello', this.hello)}`);
    this.#viewers.add(response);
    response.once('close', () => this.#viewers.delete(response));
  }

  async #act(request: IncomingMessage, response: ServerResponse, action: string): Promise<void> {
    this.asked.push({ action, headers: request.headers, body: await json(request) });
    response.writeHead(this.answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.answer.body));
  }
}

function eventText(event: string, told: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(told)}\n\n`;
}
