import { spawnSync } from 'node:child_process';

const DEADLINE_MS = 120_000;

/**
 * Runs a command to its end and returns what it printed.
 *
 * @param {string} command
 * @param {readonly string[]} words
 * @param {{ cwd: string, deadlineMs?: number }} options
 * @throws {Error} with the whole output, when it fails or does not end in time
 */
export function run(command, words, { cwd, deadlineMs = DEADLINE_MS }) {
  const { error, status, signal, stdout, stderr } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    // What npm is there needs a shell.
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (status === 0) return stdout;
  const end = signal === null ? `exit code ${status}` : `${signal} after ${deadlineMs} ms`;
  const cause = error === undefined ? '' : ` ${error.message}`;
  throw new Error(`\`${command} ${words.join(' ')}\`: ${end}.${cause}\n${stdout}${stderr}`);
}
