import type { ServerResponse } from 'node:http';

/** How many may watch at a time. */
export const MAX_VIEWERS = 16;

/**
 * A viewer who has not read for so many rounds is let go. Nothing is kept for him meanwhile, so there may be many:
 * on a slow line the greeting alone takes a while.
 */
export const MAX_SKIPPED = 30;

/** What is needed of a response, of HTTP/1 or 2. */
export type Stream = Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'on' | 'once'>;

interface Viewer {
  readonly stream: Stream;
  /** Whether he has not read yet what he was told before. */
  isBehind: boolean;
  skipped: number;
}

/** Those who watch: streams of server-sent events. */
export class Viewers {
  readonly #viewers = new Set<Viewer>();
  readonly #left: () => void;
  #closed = false;

  /** @param left called when the last one has gone */
  constructor(left: () => void) {
    this.#left = left;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** Why nobody else may watch now; `undefined` if somebody may. */
  get refusal(): string | undefined {
    if (this.#closed) return 'The application is shutting down.';
    if (this.#viewers.size < MAX_VIEWERS) return undefined;
    return `${MAX_VIEWERS} pages watch the dashboard already. Close one of them.`;
  }

  /** Adds one who may watch. */
  add(stream: Stream, greeting: string): void {
    const viewer: Viewer = { stream, isBehind: false, skipped: 0 };
    this.#viewers.add(viewer);
    stream.once('close', () => this.#remove(viewer));
    stream.on('drain', () => (viewer.isBehind = false));
    viewer.isBehind = !stream.write(greeting);
  }

  /** Tells everybody, but for those who have not read yet what they were told before. */
  tell(text: string): void {
    for (const viewer of this.#viewers) {
      if (!viewer.isBehind) {
        viewer.skipped = 0;
        viewer.isBehind = !viewer.stream.write(text);
        continue;
      }
      viewer.skipped += 1;
      if (viewer.skipped < MAX_SKIPPED) continue;
      this.#remove(viewer);
      viewer.stream.destroy();
    }
  }

  /** Ends every stream; nobody may watch from now on. */
  close(): void {
    this.#closed = true;
    for (const viewer of this.#viewers) {
      this.#remove(viewer);
      // What somebody does not read would keep the connection, and the application, from closing.
      if (viewer.isBehind) viewer.stream.destroy();
      else viewer.stream.end();
    }
  }

  #remove(viewer: Viewer): void {
    if (this.#viewers.delete(viewer) && this.#viewers.size === 0) this.#left();
  }
}

/** Writes an event whose data is JSON. */
export function eventOf(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
