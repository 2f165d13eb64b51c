/** An application that installed the package: every name comes from its entry. */
import assert from 'node:assert/strict';

import { Injectable, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { TerminusModule } from '@nestjs/terminus';
import type { Redis } from 'ioredis';
import {
  CACHE_L1,
  Cacheable,
  CacheHierarchy,
  cacheHierarchyConfig,
  CacheHierarchyModule,
  EnhancedAsyncTTLCache,
  InjectCache,
  InvalidOptionsError,
  parseDuration,
  validateCacheHierarchyEnv,
  type CacheLevel,
  type Duration,
} from 'nestjs-cache-hierarchy';
import {
  CacheManagerModule,
  type HierarchyCacheManager,
} from 'nestjs-cache-hierarchy/cache-manager';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { CacheHealthIndicator } from 'nestjs-cache-hierarchy/health';
import { CacheOpenTelemetryModule } from 'nestjs-cache-hierarchy/opentelemetry';
import { CachePrometheusModule } from 'nestjs-cache-hierarchy/prometheus';
import { redisLevel } from 'nestjs-cache-hierarchy/redis';
import { CACHE_CLEANUP_INTERVAL, CacheScheduleModule } from 'nestjs-cache-hierarchy/schedule';
import { expectHit } from 'nestjs-cache-hierarchy/testing';
import { register } from 'prom-client';

interface Place {
  readonly id: number;
  readonly name: string;
}

const TTL: Duration = '5m';

@Injectable()
class PlacesService {
  queries = 0;

  constructor(@InjectCache() private readonly cache: CacheHierarchy) {}

  @Cacheable({ key: (id: number) => `place:${id}`, ttl: TTL, tags: ['places'] })
  async find(id: number): Promise<Place> {
    this.queries += 1;
    return { id, name: `Place ${id}` };
  }

  async forgetAll(): Promise<void> {
    await this.cache.invalidateTags('places');
  }
}

@Module({
  imports: [
    ConfigModule.forRoot({
      load: [cacheHierarchyConfig],
      validate: validateCacheHierarchyEnv,
      ignoreEnvFile: true,
    }),
    CacheHierarchyModule.forRoot({ l1: { maxEntries: 100 } }),
    CacheDashboardModule.forRoot({ guard: null }),
    CacheManagerModule.register({ ttl: TTL }),
    CacheOpenTelemetryModule.forRoot(),
    CachePrometheusModule.forRoot(),
    CacheScheduleModule,
    ScheduleModule.forRoot(),
    TerminusModule,
  ],
  providers: [PlacesService, CacheHealthIndicator],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
const places = app.get(PlacesService);

const [first, second] = await Promise.all([places.find(1), places.find(1)]);
assert.deepEqual(first, { id: 1, name: 'Place 1' });
assert.equal(second, first);
assert.equal(await expectHit(app.get(CacheHierarchy), () => places.find(1)), first);
assert.equal(places.queries, 1);

await places.forgetAll();
await places.find(1);
assert.equal(places.queries, 2);

assert.ok(app.get(CACHE_L1) instanceof EnhancedAsyncTTLCache);
assert.equal(parseDuration(TTL), 300_000);
assert.throws(() => new CacheHierarchy({ l1: { maxEntries: 0 } }), InvalidOptionsError);

const cacheManager = app.get<HierarchyCacheManager>('CACHE_MANAGER');
const raw = await cacheManager.wrap('place', () => 'Paris', { raw: true });
assert.equal(raw.value, 'Paris');
assert.equal(await cacheManager.get<string>('place'), 'Paris');

const health = app.get(CacheHealthIndicator).isHealthy('cache');
assert.equal(health.cache.status, 'up');

assert.ok(app.get(SchedulerRegistry).doesExist('interval', CACHE_CLEANUP_INTERVAL));

assert.match(await register.metrics(), /cache_hierarchy_hits_total\{cache="default"\} [1-9]/);

const withRedis = (client: Redis): CacheLevel => redisLevel({ client });
assert.throws(() => withRedis({} as Redis), InvalidOptionsError);

await app.close();
console.log('loaded once, app closed');
