import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { SampleAppPackage } from '../http/sample-app-package.js';
import type { SampleAppProcess } from '../http/sample-app-process.js';
import { describeInBrowser, launchBrowser, takePicture } from '../support/browser.js';
import { barriersOf } from './barriers.js';
import { OpenedPage, type Look } from './opened-page.js';

// Processes start here, and each wait for one has its own, shorter deadline.
jest.setTimeout(600_000);

/** The pictures of the documentation are taken anew by UPDATE_IMAGES=1 npm test -- dashboard.e2e. */
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const updatesImages = process.env['UPDATE_IMAGES'] !== undefined;
const LOAD_SECONDS = updatesImages ? 55 : 6;
const BERLIN = 2_950_159;
const NEAREST = '/nearest?lat=52.52&lon=13.405';

interface Answer {
  readonly source: 'database' | 'cache';
}
interface Stats {
  readonly cache: {
    readonly gets: number;
    readonly hits: number;
    readonly answered: Readonly<Record<'L1' | 'L2', number>>;
  };
}
/** The sample application as it is: its own traffic, its own process, a real browser. */
describeInBrowser('the dashboard of the sample application', () => {
  let built: SampleAppPackage;
  let app: SampleAppProcess;
  let url: string;
  let browser: Browser;
  let opened: OpenedPage;

  beforeAll(async () => {
    built = await SampleAppPackage.build();
    app = built.start();
    url = await app.url();
    browser = await launchBrowser();
    opened = await open();
    await opened.waitUntilLive();
  });

  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  const open = (look?: Look): Promise<OpenedPage> =>
    OpenedPage.open(browser, { origin: url, page: `${url}/cache` }, look);

  /** In the middle of the load: of the upper half of the page, of the lower one, and on a phone. */
  async function takeImages(): Promise<void> {
    const phone = await open({ width: 390, scheme: 'dark' });
    await phone.waitUntilLive();
    await opened.page.setViewportSize({ width: 1_440, height: 1_500 });
    await opened.page.screenshot({ path: `${IMAGES}dashboard.png` });
    await opened.page.evaluate(`document.querySelector('#shards-section').scrollIntoView()`);
    await opened.page.screenshot({ path: `${IMAGES}dashboard-below.png` });
    await phone.page.setViewportSize({ width: 390, height: 1_300 });
    await phone.page.screenshot({ path: `${IMAGES}dashboard-phone.png` });
    await phone.context.close();
  }

  async function ask(path: string): Promise<Answer> {
    return (await (await fetch(url + path)).json()) as Answer;
  }

  async function stats(): Promise<Stats['cache']> {
    return ((await (await fetch(`${url}/stats`)).json()) as Stats).cache;
  }

  /** Resolves once a part of the page has this text among others. */
  async function waitForPart(selector: string, text: string): Promise<void> {
    await opened.page.locator(selector).filter({ hasText: text }).first().waitFor();
  }

  it('shows what the cache counts, live', async () => {
    await opened.page.getByRole('radio', { name: 'Overall' }).check();
    for (let asked = 0; asked < 5; asked += 1) await ask(NEAREST);

    await waitForPart('#flow-steps', '4 answered at once');
    await waitForPart('#flow-summary', '5 reads');
    await waitForPart('#misses', 'absent');

    await ask(NEAREST);
    await waitForPart('#flow-steps', '5 answered at once');
    expect(opened.problems).toEqual([]);
  });

  it('moves under the load of `npm run load`, and comes to the same figures as the cache', async () => {
    const load = built.start(
      {},
      'load/main.js',
      `--url=${url}`,
      `--seconds=${LOAD_SECONDS}`,
      '--rate=40',
    );
    const berlin = `/places/${BERLIN}`;
    const seen = { isShown: false };
    const shown = opened.page.locator('#hot-keys').getByText(`place:${BERLIN}`).first().waitFor();
    void shown.finally(() => (seen.isShown = true)).catch(() => {});
    // Hits are sampled: one key is asked for until it is among them.
    while (!seen.isShown) await ask(berlin);
    await shown;
    if (updatesImages) {
      await load.said(/[89]\d %/);
      await takeImages();
    }
    expect(await load.ended()).toEqual({ code: 0, signal: null });
    expect(load.output).toMatch(/100 % {2}[\d,]+ answers, \d+ % from the cache/);

    const { gets, answered } = await stats();
    const format = new Intl.NumberFormat('en-US');
    await waitForPart('#flow-summary', `${format.format(gets)} reads`);
    await waitForPart('#flow-steps', `${format.format(answered.L1)} answered at once`);
    await waitForPart('#headline', 'Up');
    expect(opened.problems).toEqual([]);
  });

  it.each([
    ['light', 1_440],
    ['dark', 1_440],
    ['light', 360],
    ['dark', 360],
  ] as const)('has no barrier in the %s, %i pixels wide', async (scheme, width) => {
    const other = await open({ scheme, width });
    await other.waitUntilLive();
    await takePicture(other.page, `sample-${scheme}-${width}`);

    expect(await barriersOf(other.page)).toEqual([]);
    expect(await other.page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    expect(other.problems).toEqual([]);
    await other.context.close();
  });

  it('is refused to a page from elsewhere whose name leads here', async () => {
    const { hostname: host, port } = new URL(url);
    const asked = request({ host, port, path: '/cache', headers: { host: 'evil.example' } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();

    expect(response.statusCode).toBe(403);
  });

  it('runs no script but its own', async () => {
    const other = await open();
    await other.page.addScriptTag({ content: 'window.ran = true' }).catch(() => {});

    expect(await other.page.evaluate('window.ran')).toBeUndefined();
    expect(other.problems.join()).toContain('Content Security Policy');
    await other.context.close();
  });

  it('inspects and deletes a key, after which the application asks its database again', async () => {
    await ask(NEAREST);
    expect((await ask(NEAREST)).source).toBe('cache');

    await opened.page.locator('#key').fill('nearest:52.52:13.405:10');
    await opened.page.getByRole('button', { name: 'Inspect' }).click();
    await waitForPart('#inspected', 'Berlin');
    await opened.page.getByRole('button', { name: 'Delete' }).click();
    await waitForPart('#operation-result', 'Deleted “nearest:52.52:13.405:10”.');

    expect((await ask(NEAREST)).source).toBe('database');
    await waitForPart('#activity', 'nearest:52.52:13.405:10');
    expect(opened.problems).toEqual([]);
  });

  it('lives through a restart of the application', async () => {
    await app.ended('SIGTERM');
    await opened.waitUntilConnection('Reconnecting…');
    app = built.start({ PORT: new URL(url).port });
    await app.url();

    await opened.waitUntilConnection('Live');
    await waitForPart('#notice-text', 'The application restarted');
    await waitForPart('#flow-summary', 'Nothing was read.');
    await ask(NEAREST);
    await waitForPart('#flow-summary', '1 read');
    // What a browser says of a server that is away.
    expect(opened.problems.filter((problem) => !problem.includes('net::ERR_'))).toEqual([]);
  });
});
