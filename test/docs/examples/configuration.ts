import 'reflect-metadata';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true }), // reads .env, where ASYNC_CACHE_TTL=45 may stand
    CacheHierarchyModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        l2: config.get('SMALL_MACHINE') === 'true' ? false : { maxEntries: 200_000 },
      }),
    }),
  ],
})
class AppModule {}

process.env['SMALL_MACHINE'] = 'true';
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });

console.log(app.get(CacheHierarchy).l2); // null
await app.close();
