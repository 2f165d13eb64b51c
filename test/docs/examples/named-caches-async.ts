import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy, CacheHierarchyModule, getCacheToken } from 'nestjs-cache-hierarchy';

@Module({
  imports: [
    CacheHierarchyModule.forRoot(),
    CacheHierarchyModule.forFeatureAsync([
      {
        name: 'rates',
        imports: [ConfigModule],
        inject: [ConfigService],
        useFactory: (config: ConfigService) => ({
          l2: config.get('SMALL_MACHINE') === 'true' ? false : {},
        }),
      },
    ]),
  ],
})
class AppModule {}

process.env['SMALL_MACHINE'] = 'true';
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const rates: CacheHierarchy = app.get(getCacheToken('rates'));

console.log(rates.l2, app.get(CacheHierarchy).l2 === null); // null false
await app.close();
