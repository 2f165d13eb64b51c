/** `npm run load` asks a running application for a minute what people ask of it, and shows how far it is. */
import { parseArgs } from 'node:util';
import { load, type LoadResult } from './load.js';
import { ProgressBar } from './progress-bar.js';

const USAGE = 'npm run load -- [--url http://localhost:3000] [--seconds 60] [--rate 100]';

const options = readOptions();
if (options !== undefined) await run(options);

interface Options {
  readonly url: string;
  readonly seconds: number;
  readonly rate: number;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: 'http://localhost:3000' },
        seconds: { type: 'string', default: '60' },
        rate: { type: 'string', default: '100' },
      },
    });
    if (!URL.canParse(values.url)) throw new Error(`--url must be a URL, got "${values.url}".`);
    return {
      url: values.url.replace(/\/+$/, ''),
      seconds: positive('seconds', values.seconds, 86_400),
      rate: positive('rate', values.rate, 5_000),
    };
  } catch (error) {
    complain(`${(error as Error).message}\n${USAGE}`);
    return undefined;
  }
}

function positive(name: string, text: string, max: number): number {
  const value = Number(text);
  if (value > 0 && value <= max) return value;
  throw new Error(`--${name} must be a number above 0 and up to ${max}, got "${text}".`);
}

async function run({ url, seconds, rate }: Options): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const bar = new ProgressBar();
  try {
    console.log(`Asks ${url} ${rate} times a second for ${seconds} s. Watch it: ${url}/cache`);
    const result = await load({
      url,
      seconds,
      rate,
      signal: stop.signal,
      onProgress: (share, soFar) => bar.show(share, summaryOf(soFar)),
    });
    bar.end();
    tell(result);
    if (result.failures > 0) process.exitCode = 1;
  } catch (error) {
    if (stop.signal.aborted) return;
    complain(`${url} does not answer: ${reasonOf(error)} Is it there? npm start`);
  }
}

function summaryOf({ answers, fromCache, failures }: LoadResult): string {
  const share = answers === 0 ? 0 : Math.round((fromCache / answers) * 100);
  const failed = failures === 0 ? '' : `, ${failures} failed`;
  const counted = `${answers.toLocaleString('en')} ${answers === 1 ? 'answer' : 'answers'}`;
  return `${counted}, ${share} % from the cache${failed}`;
}

function tell(result: LoadResult): void {
  const times = result.times.toSorted((one, other) => one - other);
  const at = (share: number): string =>
    `${(times[Math.floor(times.length * share)] ?? 0).toFixed(1)} ms`;
  console.log(
    `${summaryOf(result)}; half of them within ${at(0.5)}, 99 of 100 within ${at(0.99)}.`,
  );
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const text = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return text.endsWith('.') ? text : `${text}.`;
}

function complain(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
