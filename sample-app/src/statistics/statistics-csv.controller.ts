import { Controller, Get, Header } from '@nestjs/common';
import { CacheResponse } from 'nestjs-cache-hierarchy';
import { ANY_PLACE } from '../places/place-tags.js';
import { type CountryStatistics, StatisticsService } from './statistics.service.js';

@Controller('statistics.csv')
export class StatisticsCsvController {
  constructor(private readonly statistics: StatisticsService) {}

  /**
   * The idea: what is kept is the response, so the table is written once. Who still has it, and says
   * so by its entity tag, is answered 304.
   */
  @Get()
  @CacheResponse({ ttl: '1h', tags: [ANY_PLACE] })
  @Header('Content-Type', 'text/csv; charset=utf-8')
  async table(): Promise<string> {
    const { value } = await this.statistics.countries();
    return ['country,places,population,largest', ...value.map(toLine), ''].join('\r\n');
  }
}

function toLine({ country, places, population, largest }: CountryStatistics): string {
  return [country, places, population, `"${largest.replaceAll('"', '""')}"`].join(',');
}
