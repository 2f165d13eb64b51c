import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** A slow machine takes its time for the first one. */
const LAUNCH_WITHIN_MS = 150_000;

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
  return chromium.launch({
    executablePath: executablePath!,
    chromiumSandbox: false,
    timeout: LAUNCH_WITHIN_MS,
  });
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
