import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheScheduleModule } from 'nestjs-cache-hierarchy/schedule';

@Module({
  imports: [CacheHierarchyModule.forRoot(), ScheduleModule.forRoot(), CacheScheduleModule],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });

console.log(app.get(SchedulerRegistry).getIntervals()); // [ 'cache-hierarchy:cleanup' ]
await app.close();
