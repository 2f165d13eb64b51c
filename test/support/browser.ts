import { accessSync, constants } from 'node:fs';
import { basename, delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** A slow machine takes its time for the first one. */
const LAUNCH_WITHIN_MS = 150_000;
/** A page that has hung is not waited for. */
const PICTURE_WITHIN_MS = 30_000;

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** Not in version control: for people to look at. */
const RESULTS = join(PROJECT, 'test-results');

/** The browser that specs drive: `CHROMIUM_BIN`, or one that is installed. */
const executablePath = process.env['CHROMIUM_BIN'] ?? findBrowser();

/**
 * `describe` for specs that need a browser. Where there is none they are skipped, and why is said once for each
 * spec; in CI, which would go green without them, the spec fails.
 */
export const describeInBrowser = executablePath === undefined ? skipped() : describe;

/** Starts a browser of the spec's own; close it in the end. */
export async function launchBrowser(): Promise<Browser> {
  // Opens nothing but pages of ours. Its sandbox would not start for root, as in a container.
  const browser = await chromium.launch({
    executablePath: executablePath!,
    chromiumSandbox: false,
    timeout: LAUNCH_WITHIN_MS,
  });
  // Called by the environment of the tests.
  Object.assign(globalThis, { onTestFailure: (test: string) => takePictures(browser, test) });
  return browser;
}

/** Takes a picture of a whole page for people to look at; returns where it is, below the project. */
export async function takePicture(page: Page, name: string): Promise<string> {
  const path = join(RESULTS, `${name.replaceAll(/[^\w.-]+/g, '-').slice(0, 150)}.png`);
  await page.screenshot({ path, fullPage: true, timeout: PICTURE_WITHIN_MS });
  return relative(PROJECT, path);
}

/** Takes a picture of every page that is open when a test has failed, and says where it is. */
async function takePictures(browser: Browser, test: string): Promise<void> {
  const spec = basename(expect.getState().testPath ?? '', '.ts');
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [at, page] of pages.entries()) {
    const taken = await takePicture(page, `failed-${spec}-${test}-${at + 1}`).catch(
      (error: unknown) => `there is none (${String(error)})`,
    );
    process.stderr.write(`Picture of the page when "${test}" failed: ${taken}\n`);
  }
}

function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...paths, MAC].find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function skipped(): typeof describe.skip {
  const problem =
    'No browser found: install Chromium (`apt-get install chromium`) or set CHROMIUM_BIN to its path.';
  if (process.env['CI'] !== undefined) throw new Error(problem);
  process.stderr.write(`Specs that need a browser are skipped. ${problem}\n`);
  return describe.skip;
}
