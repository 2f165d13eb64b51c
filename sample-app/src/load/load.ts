import { setTimeout as wait } from 'node:timers/promises';
import { NAMES, Traffic, type KnownPlace, type LoadRequest } from './traffic.js';

/** How the application is asked. */
export interface LoadOptions {
  readonly url: string;
  readonly seconds: number;
  /** Requests a second; fewer where the application does not keep up. */
  readonly rate: number;
  readonly signal: AbortSignal;
  /** Hears several times a second how far it is, from the first answer on. */
  readonly onProgress: (share: number, soFar: LoadResult) => void;
}

/** What the requests have come to. */
export interface LoadResult {
  readonly answers: number;
  readonly fromCache: number;
  readonly failures: number;
  /** Of each answer, in milliseconds. */
  readonly times: readonly number[];
}

/** More requests are not waited for at a time. */
const MAX_IN_FLIGHT = 64;
const STEP_MS = 20;
const CHANGE_EVERY_MS = 15_000;

/**
 * Asks the application for so many seconds what people ask of it.
 *
 * @throws {Error} when it does not answer at first
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { seconds, rate, signal, onProgress } = options;
  const result: Counts = { answers: 0, fromCache: 0, failures: 0, times: [] };
  const traffic = new Traffic(await learnPlaces(options, result));
  const inFlight = new Set<Promise<unknown>>();
  const send = (request: LoadRequest): void => {
    const sent = ask(options, request, result)
      .catch(() => void (result.failures += signal.aborted ? 0 : 1))
      .finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  };

  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  let due = 0;
  let changes = 0;
  while (elapsed() < seconds * 1_000 && !signal.aborted) {
    due += (rate * STEP_MS) / 1_000;
    for (; due >= 1; due -= 1) if (inFlight.size < MAX_IN_FLIGHT) send(traffic.next());
    if (elapsed() > (changes + 1) * CHANGE_EVERY_MS) {
      changes += 1;
      send(traffic.change());
    }
    onProgress(Math.min(1, elapsed() / seconds / 1_000), result);
    await wait(STEP_MS, undefined, { signal }).catch(() => {});
  }
  await Promise.all(inFlight);
  if (!signal.aborted) onProgress(1, result);
  return result;
}

/** Finds out which places there are, as a client would: by looking for them. */
async function learnPlaces(options: LoadOptions, result: Counts): Promise<KnownPlace[]> {
  const found = new Map<number, KnownPlace>();
  for (const name of NAMES) {
    const request = { path: `/search?q=${name}&limit=100`, method: 'GET' } as const;
    const { data } = (await ask(options, request, result)) as { data: KnownPlace[] };
    for (const place of data) found.set(place.id, place);
    options.onProgress(0, result);
  }
  return [...found.values()];
}

interface Counts {
  answers: number;
  fromCache: number;
  failures: number;
  readonly times: number[];
}

/** @throws {Error} when there is no answer, or one that says that something failed */
async function ask(
  { url, signal }: LoadOptions,
  { path, method, body }: LoadRequest,
  result: Counts,
): Promise<{ source?: string }> {
  const startedAt = performance.now();
  const init = body === undefined ? { method } : { method, body, headers: JSON_BODY };
  const response = await fetch(url + path, { ...init, signal });
  const answer = (await response.json()) as { source?: string };
  if (!response.ok) throw new Error(`${url}${path} answered ${response.status}.`);
  result.answers += 1;
  result.times.push(performance.now() - startedAt);
  if (answer.source === 'cache') result.fromCache += 1;
  return answer;
}

const JSON_BODY = { 'content-type': 'application/json' };
