/**
 * Installs what the benchmark compares against, unless it is there already. It lives in a package of
 * its own so that neither the library nor its contributors need a dozen other caches.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const lock = `${here}package-lock.json`;
/** npm writes this last, so it is younger than the lock exactly when the lock's tree is installed. */
const installed = `${here}node_modules/.package-lock.json`;

const isCurrent = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
if (!isCurrent) {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
}
