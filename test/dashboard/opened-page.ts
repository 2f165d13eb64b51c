import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import type { ScriptedServer } from './scripted-server.js';

/** Bounds what hangs; slow machines take a tenth of it. */
const DEADLINE_MS = 150_000;

export interface Look {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  /** Whether the time of the page stands still but for what the test moves it by. */
  readonly hasClock?: boolean;
  readonly path?: string;
  /** What every request of the page says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page of the dashboard in a browser context of its own, with what went wrong in it. */
export class OpenedPage {
  /** Errors and warnings of the console, exceptions, requests that went elsewhere. */
  readonly problems: string[] = [];

  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
  ) {}

  static async open(
    browser: Browser,
    server: Pick<ScriptedServer, 'origin' | 'page'>,
    { width = 1_440, scheme = 'light', hasClock = false, path = '', headers = {} }: Look = {},
  ): Promise<OpenedPage> {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      timezoneId: 'UTC',
      locale: 'en-US',
      reducedMotion: 'reduce',
      extraHTTPHeaders: headers,
    });
    context.setDefaultTimeout(DEADLINE_MS);
    const opened = new OpenedPage(await context.newPage(), context);
    await opened.#watch(server.origin);
    if (hasClock) {
      await opened.page.clock.install({ time: 0 });
      await opened.page.clock.pauseAt(1_000);
    }
    await opened.page.goto(server.page + path);
    return opened;
  }

  /** Waits until a part of the page has this text and no other. */
  async waitForText(selector: string, text: string): Promise<void> {
    await this.page
      .locator(selector)
      .and(this.page.getByText(text, { exact: true }))
      .waitFor();
  }

  async waitUntilConnection(text: string): Promise<void> {
    await this.waitForText('#connection', text);
  }

  async waitUntilLive(): Promise<void> {
    await this.waitUntilConnection('Live');
    await this.page.locator('#headline .tile').first().waitFor();
  }

  /** A figure at the top of the page. */
  figure(name: string): Locator {
    const term = this.page.locator('dt', { hasText: new RegExp(`^${name}$`) });
    return this.page.locator('#headline .tile').filter({ has: term }).locator('.value');
  }

  async waitForFigure(name: string, value: string): Promise<void> {
    await this.figure(name)
      .filter({ hasText: new RegExp(`^${value}$`) })
      .waitFor();
  }

  /** All text of a part, with single spaces. */
  async textOf(selector: string): Promise<string> {
    const text = await this.page.locator(selector).innerText();
    return text.replaceAll(/\s+/g, ' ').trim();
  }

  /** Does to the page what looking at another tab does. */
  async setHidden(isHidden: boolean): Promise<void> {
    await this.page.evaluate(`
      Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  }

  async #watch(origin: string): Promise<void> {
    this.page.on('console', (message) => {
      const type = message.type();
      if (type === 'error' || type === 'warning') this.problems.push(message.text());
    });
    this.page.on('pageerror', ({ message }) => this.problems.push(message));
    await this.context.route(
      (url) => url.origin !== origin,
      async (route) => {
        this.problems.push(`asked ${route.request().url()}`);
        await route.abort();
      },
    );
  }
}
