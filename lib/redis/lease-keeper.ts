import type { Clock } from '../clock.js';
import type { Lease } from '../levels/cache-level.js';
import type { RedisDriver } from './redis-driver.js';
import { EXTEND } from './scripts.js';

/** What a {@link LeaseKeeper} is made of. */
export interface LeaseKeeperParts {
  readonly driver: Pick<RedisDriver, 'run'>;
  readonly clock: Clock;
  /** A loader that does not say for so long that it is still at it has lost its lease, in milliseconds. */
  readonly leaseMs: number;
}

/** Keeps the leases of this process until they are used or given back, as long as it lives. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  /** For each lease under way what ends its timer. */
  readonly #timers = new Map<string, () => void>();

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  /**
   * @param name of the lease in Redis
   * @param nonce what stands there
   * @param token what the holder knows it by
   */
  keep(name: string, nonce: string, token: string): Lease {
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
    return { state: 'load', token, release: () => void (this.forget(token) && extend(0)) };
  }

  /** Cares for a lease no more; returns whether it did. */
  forget(token: string): boolean {
    this.#timers.get(token)?.();
    return this.#timers.delete(token);
  }

  close(): void {
    for (const token of this.#timers.keys()) this.forget(token);
  }
}
