import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { CACHE_SWEEPER } from '../cache-hierarchy.constants.js';
import type { Sweeper, SweeperStatus } from '../memory/sweeper.js';

/**
 * Removes expired entries from time to time while the application runs: one timer for all levels
 * of all caches, armed for the one that is due next, in slices of about a millisecond. It starts when the
 * application is initialised, not before, and stops when it begins to close. A sweep that removed
 * something is logged at debug level; one that did not is only seen in {@link status}.
 */
@Injectable()
export class CacheCleanupScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(CACHE_SWEEPER) private readonly sweeper: Sweeper) {}

  /** Called by Nest once every module is initialised, so not where one refused to be. */
  onApplicationBootstrap(): void {
    this.sweeper.start();
  }

  /** Called by Nest when the application begins to close. */
  onModuleDestroy(): void {
    this.sweeper.stop();
  }

  /** Tells when the last sweep ran and what it removed, the longest slice so far, and what is next. */
  status(): SweeperStatus {
    return this.sweeper.status();
  }
}
