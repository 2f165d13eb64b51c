import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import type { Answer } from '../answers/answer.js';
import { AnswerInterceptor } from '../answers/answer.interceptor.js';
import { Input } from '../requests/input.js';
import { type NearPlace, NearestService } from './nearest.service.js';

@Controller('nearest')
@UseInterceptors(AnswerInterceptor)
export class NearestController {
  constructor(private readonly service: NearestService) {}

  @Get()
  nearest(@Query() query: Record<string, unknown>): Promise<Answer<NearPlace[]>> {
    const input = Input.ofUrl(query);
    const latitude = input.number('lat', { min: -90, max: 90 });
    const longitude = input.number('lon', { min: -180, max: 180 });
    const limit = input.number('limit', { min: 1, max: 100, whole: true }, 10);
    input.finish();
    return this.service.nearest(toGrid(latitude), toGrid(longitude), limit);
  }
}

/** About a hundred metres: whoever asks from next door gets the cached answer too. */
function toGrid(degrees: number): number {
  return Math.round(degrees * 1_000) / 1_000;
}
