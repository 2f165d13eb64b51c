import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers/answers.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { NearestController } from './nearest.controller.js';
import { NearestService } from './nearest.service.js';

/** The places nearest to a point. */
@Module({
  imports: [DatabaseModule, AnswersModule],
  controllers: [NearestController],
  providers: [NearestService],
})
export class NearestModule {}
