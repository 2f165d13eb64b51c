import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import type { Browser } from 'playwright-core';
import { systemClock } from '../../lib/clock.js';
import { DASHBOARD_SURROUNDINGS } from '../../lib/dashboard/cache-dashboard.module-definition.js';
import { ADAPTERS, HttpApp } from '../http/http-app.js';
import { describeInBrowser, launchBrowser } from '../support/browser.js';
import { OpenedPage, type Look } from './opened-page.js';
import { buildPage } from './page-fixture.js';

const PASSWORD = 'open sesame';

/** Lets in who has the password. */
const GUARD = {
  canActivate: (context: ExecutionContext): boolean =>
    context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers[
      'x-password'
    ] === PASSWORD,
};

describeInBrowser.each(ADAPTERS)('the dashboard behind a guard on %s', (_, adapter) => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await buildPage();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  async function start(mutations: boolean): Promise<HttpApp> {
    const surroundings = { clock: systemClock, pageFolder: pathToFileURL(`${folder}/`) };
    return HttpApp.start(adapter, {
      imports: [CacheDashboardModule.forRoot({ guard: GUARD, mutations, revealKeys: true })],
      overrides: new Map([[DASHBOARD_SURROUNDINGS, surroundings]]),
    });
  }

  const open = ({ port }: HttpApp, look?: Look): Promise<OpenedPage> => {
    const origin = `http://127.0.0.1:${port}`;
    return OpenedPage.open(browser, { origin, page: `${origin}/cache` }, look);
  };

  it('is refused to who has no password, and shown to who has it', async () => {
    const app = await start(true);
    const stranger = await open(app);
    const friend = await open(app, { headers: { 'x-password': PASSWORD } });

    await friend.waitUntilLive();
    expect(await stranger.page.locator('body').innerText()).toContain('403');
    const asked = await stranger.page.evaluate(
      `fetch('/cache/actions/clear', { method: 'POST', body: '{"cache":"default"}', headers: {
        'content-type': 'application/json', 'x-cache-dashboard': '1' } }).then((r) => r.status)`,
    );
    expect(asked).toBe(403);
    expect(friend.problems).toEqual([]);
    await app.close();
  });

  it('deletes where that is allowed, keys of any kind, and nowhere else', async () => {
    const hostile = `<script>window.broken = 1</script>${'x'.repeat(960)}`;
    const app = await start(true);
    const cache = app.get(CacheHierarchy);
    await cache.set(hostile, '<img src=x onerror="window.broken = 1">');
    const opened = await open(app, { headers: { 'x-password': PASSWORD } });
    await opened.waitUntilLive();
    await opened.page.locator('#key').fill(hostile);
    await opened.page.getByRole('button', { name: 'Inspect' }).click();
    await opened.page.locator('#inspected article').first().waitFor();
    await opened.page.getByRole('button', { name: 'Delete' }).click();
    await opened.page.locator('#activity li').first().waitFor();

    expect(cache.has(hostile)).toBe(false);
    expect(await opened.page.evaluate('window.broken')).toBeUndefined();
    expect(opened.problems).toEqual([]);
    await app.close();

    const readOnly = await start(false);
    const looker = await open(readOnly, { headers: { 'x-password': PASSWORD } });
    await looker.waitUntilLive();
    expect(await looker.page.locator('#operations-section').isVisible()).toBe(false);
    const headers = { 'x-password': PASSWORD, 'x-cache-dashboard': '1' };
    const refused = await readOnly.ask('/cache/actions/clear', { method: 'POST', headers });
    expect(refused.status).toBe(404);
    await readOnly.close();
  });
});
