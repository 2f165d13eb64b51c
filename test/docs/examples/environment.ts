import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import {
  cacheHierarchyEnvSchema,
  CacheHierarchyModule,
  validateCacheHierarchyEnv,
} from 'nestjs-cache-hierarchy';

@Module({
  imports: [
    ConfigModule.forRoot({ validate: validateCacheHierarchyEnv }),
    CacheHierarchyModule.forRoot(),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });

const checked = cacheHierarchyEnvSchema['~standard'].validate({ ASYNC_CACHE_NUM_SHARDS: 'many' });
console.log(checked.issues?.[0]?.message); // must be a whole number of at least 1, got "many"
await app.close();
