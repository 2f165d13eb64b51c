import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { readHealth } from '../hierarchy/cache-health.js';

/** A session of terminus 12; that of terminus 11 knows nothing between up and down. */
interface Session<Key extends string> {
  degraded?(details: Record<string, unknown>): HealthIndicatorResult<Key>;
}

/**
 * Tells `@nestjs/terminus` how a cache is: `up`; `degraded` while a level outside the process is out, when
 * the others and the loaders serve, or while it is not known what other processes change, when copies are
 * read anew; `down` once it is closed. Terminus 11 has no `degraded`: there
 * it is `up`, with the same details. A health check is answered with 200 unless it is `down`.
 *
 * It looks at what the last calls have come to and asks no level: an outage is told from the first call
 * that fails to the first that is answered. The details have states and figures, never keys or values.
 */
@Injectable()
export class CacheHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly cache: CacheHierarchy,
  ) {}

  /**
   * Tells how the cache is, for a check of `HealthCheckService`.
   *
   * @param key what the result is called
   * @param cache another one than the application's default cache
   */
  isHealthy<const Key extends string>(key: Key, cache = this.cache): HealthIndicatorResult<Key> {
    const session = this.indicators.check(key);
    const { state, details } = readHealth(cache);
    if (state === 'down') return session.down(details);
    if (state === 'up') return session.up(details);
    return (session as Session<Key>).degraded?.(details) ?? session.up(details);
  }
}
