import { Controller, Get, NotFoundException, Param, UseInterceptors } from '@nestjs/common';
import type { Answer } from '../answers/answer.js';
import { AnswerInterceptor } from '../answers/answer.interceptor.js';
import { Input } from '../requests/input.js';
import { type CountryStatistics, StatisticsService } from './statistics.service.js';

@Controller('statistics')
@UseInterceptors(AnswerInterceptor)
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get()
  countries(): Promise<Answer<CountryStatistics[]>> {
    return this.statistics.countries();
  }

  @Get(':country')
  async country(@Param() parameters: Record<string, string>): Promise<Answer<CountryStatistics>> {
    const input = Input.ofUrl(parameters);
    const country = input.country('country');
    input.finish();
    const { value, ...answer } = await this.statistics.country(country);
    if (value === null) throw new NotFoundException(`There are no places in ${country}.`);
    return { ...answer, value };
  }
}
