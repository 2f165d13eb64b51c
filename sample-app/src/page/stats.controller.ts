import { Controller, Get, Header } from '@nestjs/common';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { Timings } from '../answers/timings.js';

@Controller('stats')
export class StatsController {
  constructor(
    private readonly cache: CacheHierarchy,
    private readonly timings: Timings,
  ) {}

  /** The idea: the cache counts for itself, so an operator sees whether it is worth having. */
  @Get()
  @Header('Cache-Control', 'no-store')
  stats(): object {
    return { cache: this.cache.getMetrics(), endpoints: this.timings.all() };
  }
}
