import type { Clock } from '../clock.js';
import type { LevelChange } from '../levels/cache-level.js';

/** For how long what Redis has acknowledged is remembered, in milliseconds. */
const KEEP_MS = 30_000;
/** So many changes are remembered one by one; beyond that it is as if everything had been cleared. */
const MAX_CHANGES = 10_000;

interface Noted {
  readonly change: LevelChange;
  readonly at: number;
}

/**
 * What this process has invalidated or replaced lately. A server that is replaced by its replica can have
 * lost what it had acknowledged, since replicas follow a little later: all of this is done once more then.
 */
export class RecentChanges {
  readonly #clock: Pick<Clock, 'now'>;
  /** By what was changed, the oldest first. */
  readonly #noted = new Map<string, Noted>();
  #overflowedAt = -Infinity;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  note(name: string, change: LevelChange): void {
    const now = this.#clock.now();
    this.#noted.delete(name);
    this.#noted.set(name, { change, at: now });
    for (const [oldest, { at }] of this.#noted) {
      const isFull = this.#noted.size > MAX_CHANGES;
      if (at >= now - KEEP_MS && !isFull) return;
      if (isFull) this.#overflowedAt = now;
      this.#noted.delete(oldest);
    }
  }

  /** What is to be done once more. */
  list(): readonly LevelChange[] {
    const since = this.#clock.now() - KEEP_MS;
    if (this.#overflowedAt >= since) return [{ kind: 'clear', prefix: '' }];
    return [...this.#noted.values()].filter(({ at }) => at >= since).map(({ change }) => change);
  }
}
