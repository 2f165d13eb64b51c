import 'reflect-metadata';
import { Controller, Get, Header, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CachePrometheusModule } from 'nestjs-cache-hierarchy/prometheus';
import { register } from 'prom-client';

@Controller('metrics')
class MetricsController {
  @Get()
  @Header('Content-Type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}

@Module({
  imports: [CacheHierarchyModule.forRoot(), CachePrometheusModule.forRoot()],
  controllers: [MetricsController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0);
await app.get(CacheHierarchy).get('nothing');

const response = await fetch(`${await app.getUrl()}/metrics`);
const misses = (await response.text()).match(/^cache_hierarchy_misses_total.*absent.*$/m);
console.log(misses?.[0]); // cache_hierarchy_misses_total{cache="default",reason="absent"} 1
await app.close();
