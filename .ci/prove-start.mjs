/**
 * Does what a newcomer does after `npm start`: waits for the URL, opens the page, follows its links,
 * and stops the application with a signal. The signal goes to npm alone, as a process manager sends
 * it: npm must pass it on, exit with code 0 and leave neither a process nor the port behind.
 *
 * `node .ci/prove-start.mjs <signal>`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The first start builds everything and fills the database. */
const START_DEADLINE_MS = 300_000;
const ANSWER_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;

const [signal = 'SIGTERM'] = process.argv.slice(2);
const startedAt = performance.now();
const port = await findFreePort();
const npm = spawn('npm', ['start'], {
  // A process group of its own: it can be ended as a whole and looked at for what is left of it.
  detached: true,
  env: { ...process.env, PORT: String(port) },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const group = -Number(npm.pid);
const exit = once(npm, 'exit');
process.once('exit', endGroup);
for (const end of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(end, () => process.exit(1));

const url = await firstUrl();
say(`serves ${url}`);
await ask(url);
for (const link of await linksOf(url)) await ask(link);
await stop();
say(`stopped by ${signal}: exit code 0, port ${port} free, no process left`);

/** Returns the first URL with our port that the application prints. */
async function firstUrl() {
  let printed = '';
  const found = new Promise((resolve) => {
    npm.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      printed += chunk;
      const [match] = printed.match(new RegExp(`https?://[\\w.[\\]:-]+:${port}\\b`)) ?? [];
      if (match !== undefined) resolve(new URL(match));
    });
  });
  const death = exit.then(([code, by]) => fail(`npm start ended with ${by ?? code} and no URL.`));
  return Promise.race([found, death, deadline(START_DEADLINE_MS, 'npm start printed no URL')]);
}

/** Returns what the page links to on this server, each once. */
async function linksOf(page) {
  const html = await (await fetch(page)).text();
  const links = [...html.matchAll(/<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)]
    .map(([, double, single]) => new URL((double ?? single).replaceAll('&amp;', '&'), page))
    .filter(({ origin }) => origin === page.origin)
    .map((link) => new URL(link.pathname + link.search, page).href);
  const distinct = [...new Set(links)];
  if (distinct.length === 0) fail(`${page} has no links to try.`);
  return distinct;
}

async function ask(link) {
  const askedAt = performance.now();
  const response = await fetch(link, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
  const { byteLength } = await response.arrayBuffer();
  const ms = Math.round(performance.now() - askedAt);
  say(`${response.status} ${link} (${byteLength} bytes, ${ms} ms)`);
  if (!response.ok) fail(`${link} answered ${response.status}.`);
}

async function stop() {
  npm.kill(signal);
  const late = deadline(STOP_DEADLINE_MS, `npm start ignored ${signal}`);
  const [code, by] = await Promise.race([exit, late]);
  if (code !== 0) fail(`npm start ended with ${by ?? `exit code ${code}`} after ${signal}.`);
  if (isGroupAlive()) fail('npm start left a process behind.');
  if (await answers(port)) fail(`Port ${port} is still taken.`);
}

function isGroupAlive() {
  try {
    process.kill(group, 0);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

function endGroup() {
  if (isGroupAlive()) process.kill(group, 'SIGKILL');
}

async function answers(candidate) {
  const socket = connect(candidate, 'localhost');
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (refused(error)) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Node tries every address of `localhost` and reports a refusal of all as one aggregate. */
function refused(error) {
  return error.code === 'ECONNREFUSED' || error.errors?.every(refused) === true;
}

async function findFreePort() {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port: free } = server.address();
  server.close();
  await once(server, 'close');
  return free;
}

async function deadline(ms, problem) {
  await sleep(ms, undefined, { ref: false });
  fail(`${problem} within ${ms / 1_000} s.`);
}

function say(text) {
  console.log(`   [${((performance.now() - startedAt) / 1_000).toFixed(1)} s] ${text}`);
}

function fail(problem) {
  throw new Error(problem);
}
