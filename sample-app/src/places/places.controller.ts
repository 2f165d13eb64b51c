import {
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  Patch,
  UseInterceptors,
} from '@nestjs/common';
import type { Answer } from '../answers/answer.js';
import { AnswerInterceptor } from '../answers/answer.interceptor.js';
import { Input } from '../requests/input.js';
import type { Place } from './place.js';
import { PlacesService } from './places.service.js';

/** What PostgreSQL's integer holds. */
const MAX_INTEGER = 2_147_483_647;
const MAX_NAME_LENGTH = 200;

@Controller('places/:id')
@UseInterceptors(AnswerInterceptor)
export class PlacesController {
  constructor(private readonly places: PlacesService) {}

  @Get()
  async find(@Param() parameters: Record<string, string>): Promise<Answer<Place>> {
    const id = readId(parameters);
    const { value, ...answer } = await this.places.find(id);
    if (value === null) throw new NotFoundException(`There is no place ${id}.`);
    return { ...answer, value };
  }

  @Patch()
  change(
    @Param() parameters: Record<string, string>,
    @Body() body: unknown,
  ): Promise<Answer<Place>> {
    const id = readId(parameters);
    const input = Input.ofBody(body);
    const name = input.optional('name', () => input.text('name', MAX_NAME_LENGTH));
    const population = input.optional('population', () =>
      input.number('population', { min: 0, max: MAX_INTEGER, whole: true }),
    );
    if (name === undefined && population === undefined) {
      input.refuse('the body must hold a name, a population or both');
    }
    input.finish();
    return this.places.change(id, { name, population });
  }
}

function readId(parameters: Record<string, string>): number {
  const input = Input.ofUrl(parameters);
  const id = input.number('id', { min: 1, max: MAX_INTEGER, whole: true });
  input.finish();
  return id;
}
