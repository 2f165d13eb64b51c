import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  HealthCheck,
  HealthCheckService,
  TerminusModule,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheHealthIndicator } from 'nestjs-cache-hierarchy/health';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly cache: CacheHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.cache.isHealthy('cache')]);
  }
}

@Module({
  imports: [CacheHierarchyModule.forRoot({ l2: false }), TerminusModule],
  controllers: [HealthController],
  providers: [CacheHealthIndicator],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0);

const response = await fetch(`${await app.getUrl()}/health`);
const { details } = (await response.json()) as HealthCheckResult;
console.log(response.status, JSON.stringify(details.cache?.levels)); // 200 {"L1":{"state":"up","entries":0}}
await app.close();
