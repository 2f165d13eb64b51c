import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { redisLevel } from 'nestjs-cache-hierarchy/redis';

@Module({
  imports: [
    CacheHierarchyModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => {
        const client = new Redis(config.getOrThrow('REDIS_URL'), { lazyConnect: true });
        return { remote: redisLevel({ client, prefix: 'shop' }) };
      },
    }),
  ],
})
class AppModule {}

const boot = () => NestFactory.createApplicationContext(AppModule, { logger: false });
const [here, there] = [await boot(), await boot()]; // stand for two processes
const [rates, copies] = [here.get(CacheHierarchy), there.get(CacheHierarchy)];

await rates.set('rate', 1.1);
console.log(await copies.get('rate'), copies.has('rate')); // 1.1 true
await rates.set('rate', 1.2);
while (copies.getIfPresent('rate') === 1.1) await sleep(1); // until the message is there
console.log(await copies.get('rate')); // 1.2
await Promise.all([here.close(), there.close()]);
