import { Controller, Get, Header } from '@nestjs/common';
import { CacheHierarchy, InjectCache } from 'nestjs-cache-hierarchy';
import { Timings } from '../answers/timings.js';
import { SEARCHES } from '../search/searches-cache.js';

@Controller('stats')
export class StatsController {
  constructor(
    private readonly cache: CacheHierarchy,
    @InjectCache(SEARCHES) private readonly searches: CacheHierarchy,
    private readonly timings: Timings,
  ) {}

  /** The idea: the cache counts for itself, so an operator sees whether it is worth having. */
  @Get()
  @Header('Cache-Control', 'no-store')
  stats(): object {
    return {
      cache: this.cache.getMetrics(),
      searches: this.searches.getMetrics(),
      endpoints: this.timings.all(),
    };
  }
}
