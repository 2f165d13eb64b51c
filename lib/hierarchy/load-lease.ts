import type { Clock } from '../clock.js';
import type { Lease, Maybe } from '../levels/cache-level.js';
import type { RunningLoad } from '../memory/load-request.js';

/** What a {@link LoadLease} is made of. */
export interface LoadLeaseOptions {
  readonly clock: Clock;
  /** For how long the load of another process is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** Asks whether to load; `undefined` where nobody can say. Never rejects. */
  ask(): Promise<Lease | undefined>;
  /** What ends the waits under way. */
  readonly waiting: Set<() => void>;
}

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 200;

/**
 * The right of one load to be the only one of its key among all processes that share a level. It is asked
 * for when no level has the key, and ends with the load, or when the key can do without it.
 */
export class LoadLease {
  readonly #options: LoadLeaseOptions;
  #lease: Extract<Lease, { state: 'load' }> | undefined;
  #isHeld = false;
  #isElsewhere = false;
  #isOver = false;

  constructor(options: LoadLeaseOptions) {
    this.#options = options;
  }

  /** What the level knows the lease by; `undefined` without one. */
  get token(): string | undefined {
    return this.#lease?.token;
  }

  /** Whether what is loaded now is not to be stored. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether another process was loading it when this one stopped to wait. */
  get isElsewhere(): boolean {
    return this.#isElsewhere;
  }

  /**
   * Takes the lease, or waits for what another process loads with it and returns what `look` finds of
   * that. Resolves to nothing when the loader is to be called: with a lease, or without where nobody
   * can say or the patience has ended.
   */
  async take<T>(load: RunningLoad, look: () => Maybe<T | undefined>): Promise<T | undefined> {
    const { clock, patienceMs } = this.#options;
    const patientUntil = clock.now() + patienceMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const lease = await this.#options.ask();
      if (lease?.state === 'load') this.#keep(lease, load);
      if (lease?.state === 'held') this.#isHeld = true;
      if (lease?.state !== 'hit' && lease?.state !== 'wait') return undefined;
      const found = lease.state === 'hit' ? await look() : undefined;
      this.#isElsewhere = lease.state === 'wait';
      if (found !== undefined || load.aborted || clock.now() >= patientUntil) return found;
      await this.#pause(Math.min(pauseMs * (0.5 + Math.random()), patientUntil - clock.now()));
    }
  }

  /** Gives it back; where the load is stored it has gone already. */
  release(): void {
    this.#isOver = true;
    this.#lease?.release();
  }

  #keep(lease: Extract<Lease, { state: 'load' }>, load: RunningLoad): void {
    this.#lease = lease;
    if (this.#isOver) lease.release();
    else load.onDetached(() => this.release());
  }

  #pause(ms: number): Promise<void> {
    const { clock, waiting } = this.#options;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        waiting.delete(end);
        resolve();
      };
      const cancel = clock.setTimer(end, ms);
      waiting.add(end);
    });
  }
}
