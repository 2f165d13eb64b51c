import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy, CacheHierarchyModule, getCacheToken } from 'nestjs-cache-hierarchy';
import { redisLevel } from 'nestjs-cache-hierarchy/redis';
import { createClient } from 'redis';

const client = createClient({ url: process.env['REDIS_URL']! });

@Module({
  imports: [
    CacheHierarchyModule.forRoot({ remote: redisLevel({ client, prefix: 'shop' }) }),
    CacheHierarchyModule.forFeature([{ name: 'sessions', ttl: '20m' }]),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const cache = app.get(CacheHierarchy);
const sessions: CacheHierarchy = app.get(getCacheToken('sessions'));

await sessions.set('ada', { since: new Date(0) });
console.log(await cache.get('ada')); // undefined
await cache.clear();
console.log(await sessions.get('ada')); // { since: 1970-01-01T00:00:00.000Z }
await app.close();
