import type { Activity, DashboardHello, DashboardSample } from '../dashboard-state.js';

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** There is a sample each second: such a silence means that nobody is at the other end. */
const SILENCE_MS = 20_000;
const WATCH_MS = 5_000;
/** A tab that nobody looks at for so long gives its place to others. */
const HIDDEN_MS = 5 * 60_000;
const MAX_PROBLEM_LENGTH = 300;

export type ConnectionState =
  | { readonly kind: 'connecting' | 'live' | 'reconnecting' | 'paused' }
  | { readonly kind: 'refused'; readonly problem: string; readonly retryMs: number };

export interface ConnectionListener {
  onHello(hello: DashboardHello): void;
  onSample(sample: DashboardSample): void;
  onActivity(activity: Activity): void;
  onState(state: ConnectionState): void;
}

/**
 * The stream of events. Short breaks are the browser's to mend; this mends those that it gives up, such as an
 * answer of 401 or 503, and those that it does not see.
 */
export class Connection {
  readonly #url: URL;
  readonly #listener: ConnectionListener;
  #source: EventSource | undefined;
  #retry: number | undefined;
  #hidden: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #heardAt = 0;

  constructor(url: URL, listener: ConnectionListener) {
    this.#url = url;
    this.#listener = listener;
    setInterval(() => this.#watch(), WATCH_MS);
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    addEventListener('online', () => this.#source === undefined && this.open());
  }

  /** Connects, now; what was there before is given up. */
  open(): void {
    this.#listener.onState({ kind: 'connecting' });
    this.#connect();
  }

  #connect(): void {
    this.#close();
    this.#heardAt = performance.now();
    const source = new EventSource(this.#url);
    this.#source = source;
    this.#hear<DashboardHello>('hello', (hello) => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#listener.onHello(hello);
      this.#listener.onState({ kind: 'live' });
    });
    this.#hear<DashboardSample>('sample', (sample) => this.#listener.onSample(sample));
    this.#hear<Activity>('activity', (activity) => this.#listener.onActivity(activity));
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      if (source.readyState === EventSource.CLOSED) void this.#onRefusal();
      else this.#listener.onState({ kind: 'reconnecting' });
    });
  }

  #hear<Told>(event: string, listener: (told: Told) => void): void {
    this.#source?.addEventListener(event, ({ data }: MessageEvent<string>) => {
      this.#heardAt = performance.now();
      listener(JSON.parse(data) as Told);
    });
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  /** An event source does not tell why it gave up: asking once more does. */
  async #onRefusal(): Promise<void> {
    this.#close();
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(LAST_RETRY_MS, 2 * retryMs);
    // Pages that were refused together come again one after the other.
    this.#retry = setTimeout(() => this.#connect(), retryMs * (1 + Math.random() / 2));
    const pending = this.#retry;
    const problem = await askWhy(this.#url);
    if (pending === this.#retry && this.#source === undefined) {
      this.#listener.onState({ kind: 'refused', problem, retryMs });
    }
  }

  #watch(): void {
    const isSilent = performance.now() - this.#heardAt > SILENCE_MS;
    if (isSilent && this.#source?.readyState === EventSource.OPEN) this.open();
  }

  #onVisibility(): void {
    clearTimeout(this.#hidden);
    if (document.hidden) {
      this.#hidden = setTimeout(() => {
        this.#close();
        this.#listener.onState({ kind: 'paused' });
      }, HIDDEN_MS);
    } else if (this.#source === undefined) this.open();
  }
}

async function askWhy(url: URL): Promise<string> {
  const abort = new AbortController();
  try {
    const response = await fetch(url, { signal: abort.signal, cache: 'no-store' });
    if (response.ok) return explain(response);
    const told = await toldBy(response);
    return `The server answered ${response.status}${told === '' ? '' : `: ${told}`}`;
  } catch {
    return 'The server does not answer';
  } finally {
    // A stream that does come would go on for ever.
    abort.abort();
  }
}

function explain({ headers }: Response): string {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  return isStream ? 'The stream broke off' : 'The server answered with something else: signed out?';
}

/** The message of an error, be it as JSON, as Nest answers, or as text; without its full stop. */
async function toldBy(response: Response): Promise<string> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('text/html') === true) return '';
  return messageIn(text).slice(0, MAX_PROBLEM_LENGTH).replace(/\.$/, '');
}

/** Returns what the body of an error says. */
export function messageIn(body: string): string {
  try {
    const parsed = JSON.parse(body) as { message?: unknown } | null;
    return typeof parsed?.message === 'string' ? parsed.message : '';
  } catch {
    return body.trim();
  }
}
