import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers/answers.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { StatisticsCsvController } from './statistics-csv.controller.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** Figures by country. */
@Module({
  imports: [DatabaseModule, AnswersModule],
  controllers: [StatisticsController, StatisticsCsvController],
  providers: [StatisticsService],
})
export class StatisticsModule {}
