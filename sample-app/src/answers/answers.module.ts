import { Module } from '@nestjs/common';
import { Timings } from './timings.js';

@Module({ providers: [Timings], exports: [Timings] })
export class AnswersModule {}
