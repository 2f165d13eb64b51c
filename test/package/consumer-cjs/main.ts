/** A CommonJS application: the imports are compiled to `require`, which loads the ES modules. */
import assert from 'node:assert/strict';

import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';
import {
  CacheManagerModule,
  type HierarchyCacheManager,
} from 'nestjs-cache-hierarchy/cache-manager';
import { redisLevel } from 'nestjs-cache-hierarchy/redis';
import { recordCache } from 'nestjs-cache-hierarchy/testing';
import type { RedisClientType } from 'redis';

@Injectable()
class PlacesService {
  queries = 0;

  @Cacheable({ ttl: '5m' })
  async find(id: number): Promise<string> {
    this.queries += 1;
    return `Place ${id}`;
  }
}

@Module({
  imports: [CacheHierarchyModule.forRoot(), CacheManagerModule.register()],
  providers: [PlacesService],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  const places = app.get(PlacesService);

  const seen = recordCache(app.get(CacheHierarchy));
  assert.equal(await places.find(1), 'Place 1');
  assert.equal(await places.find(1), 'Place 1');
  assert.deepEqual([seen.misses(), seen.hits()], [1, 1]);
  seen.stop();
  assert.equal(places.queries, 1);
  assert.throws(() => redisLevel({ client: {} as RedisClientType }), InvalidOptionsError);
  assert.equal(app.get(CacheHierarchy).getMetrics().hits, 1);

  const cacheManager = app.get<HierarchyCacheManager>('CACHE_MANAGER');
  assert.equal(await cacheManager.wrap('place', () => 'Paris'), 'Paris');

  await app.close();
  console.log('loaded once, app closed');
}

void main();
