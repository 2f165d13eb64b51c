import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import type { Answer } from '../answers/answer.js';
import { AnswerInterceptor } from '../answers/answer.interceptor.js';
import { Input } from '../requests/input.js';
import { foldName, type FoundPlace, SearchService } from './search.service.js';

@Controller('search')
@UseInterceptors(AnswerInterceptor)
export class SearchController {
  constructor(private readonly service: SearchService) {}

  @Get()
  search(@Query() query: Record<string, unknown>): Promise<Answer<FoundPlace[]>> {
    const input = Input.ofUrl(query);
    const text = foldName(input.text('q', 100));
    const country = input.optional('country', () => input.country('country')) ?? null;
    const limit = input.number('limit', { min: 1, max: 100, whole: true }, 10);
    input.finish();
    return this.service.search({ text, country, limit });
  }
}
