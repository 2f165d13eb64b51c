import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, launchBrowser } from '../support/browser.js';
import { OpenedPage, type Look } from './opened-page.js';
import { ScriptedServer } from './scripted-server.js';

const SCRIPT = fileURLToPath(new URL('../../lib/dashboard/build-page.mjs', import.meta.url));

/** Builds the page and returns the folder of it, which is the caller's to remove. */
export async function buildPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dashboard-page-'));
  await promisify(execFile)(process.execPath, [SCRIPT, folder]);
  return folder;
}

/** What tests of the page have: a server that says what they want, and pages that look at it. */
export class PageFixture {
  #server: ScriptedServer | undefined;
  #browser: Browser | undefined;
  #folder = '';
  #opened: OpenedPage[] = [];

  get server(): ScriptedServer {
    return this.#server!;
  }

  async open(look?: Look): Promise<OpenedPage> {
    const opened = await OpenedPage.open(this.#browser!, this.server, look);
    this.#opened.push(opened);
    return opened;
  }

  /** Opens a page and waits until it shows figures. */
  async openLive(look?: Look): Promise<OpenedPage> {
    const opened = await this.open(look);
    await opened.waitUntilLive();
    return opened;
  }

  async start(): Promise<void> {
    this.#folder = await buildPage();
    this.#browser = await launchBrowser();
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await rm(this.#folder, { recursive: true });
  }

  async begin(): Promise<void> {
    this.#server = await ScriptedServer.listen(this.#folder);
  }

  async end(): Promise<void> {
    for (const { context } of this.#opened.splice(0)) await context.close();
    await this.server.close();
  }
}

/** Describes the page as a browser shows it. */
export function describePage(what: string, define: (fixture: PageFixture) => void): void {
  describeInBrowser(`the page of the dashboard ${what}`, () => {
    const fixture = new PageFixture();
    beforeAll(() => fixture.start());
    afterAll(() => fixture.stop());
    beforeEach(() => fixture.begin());
    afterEach(() => fixture.end());
    define(fixture);
  });
}
