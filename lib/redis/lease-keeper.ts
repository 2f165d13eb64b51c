import type { Clock } from '../clock.js';
import type { Lease } from '../levels/cache-level.js';
import type { RedisDriver } from './redis-driver.js';
import { EXTEND } from './scripts.js';
import { within } from './within.js';

/** What a {@link LeaseKeeper} is made of. */
export interface LeaseKeeperParts {
  readonly driver: Pick<RedisDriver, 'run'>;
  readonly clock: Clock;
  /** A loader that does not say for so long that it is still at it has lost its lease, in milliseconds. */
  readonly leaseMs: number;
}

/** How long closing waits for leases to be given back, in milliseconds. */
const CLOSE_WITHIN_MS = 250;
/** How often it is tried to give a lease back, in milliseconds: what holds it up are broken connections. */
const GIVE_BACK_EVERY_MS = 500;

/** Keeps the leases of this process until they are used or given back, as long as it lives. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  /** For each lease under way, or to be given back, what ends its timer. */
  readonly #timers = new Map<string, () => void>();
  /** Gives each lease under way back. */
  readonly #releases = new Map<string, () => Promise<unknown>>();
  #closed = false;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  /**
   * Keeps a lease that was given. One that comes while this closes is given back at once.
   *
   * @param name of the lease in Redis
   * @param nonce what stands there
   * @param token what the holder knows it by
   */
  keep(name: string, nonce: string, token: string): Lease {
    if (this.#closed) {
      void this.#release(name, nonce);
      return { state: 'load', token, release: () => {} };
    }
    const { driver, clock, leaseMs } = this.#parts;
    const extend = (ms: number): void => {
      driver.run(EXTEND, [name], [nonce, String(ms)]).catch(() => {});
    };
    const arm = (): void => {
      const cancel = clock.setTimer(() => {
        extend(leaseMs);
        arm();
      }, leaseMs / 3);
      this.#timers.set(token, cancel);
    };
    arm();
    this.#releases.set(token, () => this.#release(name, nonce));
    const release = (): void => {
      if (this.forget(token)) void this.giveBack(name, nonce);
    };
    return { state: 'load', token, release };
  }

  /** Gives a lease back, or what may have become one: until Redis takes it, or it has ended by itself. */
  async giveBack(name: string, nonce: string): Promise<void> {
    const { clock, leaseMs } = this.#parts;
    const endsAt = clock.now() + leaseMs;
    while (!this.#closed && clock.now() < endsAt && !(await this.#release(name, nonce)))
      await this.#pause(nonce);
    this.#timers.delete(nonce);
  }

  /** Cares for a lease no more; returns whether it did. */
  forget(token: string): boolean {
    this.#timers.get(token)?.();
    this.#releases.delete(token);
    return this.#timers.delete(token);
  }

  /** Gives all leases back that can be within a moment: nobody is to wait for loads that nobody stores. */
  async close(): Promise<void> {
    this.#closed = true;
    const releases = [...this.#releases.values()];
    for (const token of this.#timers.keys()) this.forget(token);
    if (releases.length === 0) return;
    const released = Promise.all(releases.map((release) => release()));
    await within(this.#parts.clock, CLOSE_WITHIN_MS, released).catch(() => {});
  }

  async #release(name: string, nonce: string): Promise<boolean> {
    return this.#parts.driver.run(EXTEND, [name], [nonce, '0']).then(
      () => true,
      () => false,
    );
  }

  #pause(nonce: string): Promise<void> {
    return new Promise((resolve) => {
      this.#timers.set(nonce, this.#parts.clock.setTimer(resolve, GIVE_BACK_EVERY_MS));
    });
  }
}
