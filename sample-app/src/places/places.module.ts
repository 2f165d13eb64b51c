import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers/answers.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { PlacesController } from './places.controller.js';
import { PlacesService } from './places.service.js';

/** One place by its id, and the write. */
@Module({
  imports: [DatabaseModule, AnswersModule],
  controllers: [PlacesController],
  providers: [PlacesService],
})
export class PlacesModule {}
