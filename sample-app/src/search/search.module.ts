import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers/answers.module.js';
import { DatabaseModule } from '../database/database.module.js';
import { SearchController } from './search.controller.js';
import { SearchService } from './search.service.js';
import { searchesCache } from './searches-cache.js';

/** Places by a part of their name. */
@Module({
  imports: [DatabaseModule, AnswersModule, searchesCache],
  controllers: [SearchController],
  providers: [SearchService],
})
export class SearchModule {}
