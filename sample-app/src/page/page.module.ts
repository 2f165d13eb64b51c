import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers/answers.module.js';
import { searchesCache } from '../search/searches-cache.js';
import { PageController } from './page.controller.js';
import { StatsController } from './stats.controller.js';

/** The page that explains the endpoints, and the figures it shows. */
@Module({
  imports: [AnswersModule, searchesCache],
  controllers: [PageController, StatsController],
})
export class PageModule {}
