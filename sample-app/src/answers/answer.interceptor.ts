import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { type Answer, wallClockMs } from './answer.js';
import { type Source, Timings } from './timings.js';

/** What a client gets: the value, and how long it took this time and in the database. */
export interface TimedBody {
  readonly source: Source;
  readonly tookMs: number;
  readonly databaseMs: number;
  readonly data: unknown;
}

interface Exchange {
  readonly request: { readonly method: string; readonly route: { readonly path: string } };
  readonly response: { setHeader(name: string, value: string): void };
}

/** Shows in body and headers whether an answer is older than its request: then it was cached. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor<Answer<unknown>, TimedBody> {
  constructor(private readonly timings: Timings) {}

  intercept(context: ExecutionContext, next: CallHandler<Answer<unknown>>): Observable<TimedBody> {
    const http = context.switchToHttp();
    const exchange = { request: http.getRequest(), response: http.getResponse() };
    const startedAt = wallClockMs();
    return next.handle().pipe(map((answer) => this.present(answer, startedAt, exchange)));
  }

  private present(answer: Answer<unknown>, startedAt: number, exchange: Exchange): TimedBody {
    const { request, response } = exchange;
    const source = answer.answeredAt < startedAt ? 'cache' : 'database';
    const tookMs = roundMs(wallClockMs() - startedAt);
    const databaseMs = roundMs(answer.databaseMs);

    this.timings.record(`${request.method} ${request.route.path}`, source, tookMs);
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Server-Timing', `${source};dur=${tookMs}`);
    return { source, tookMs, databaseMs, data: answer.value };
  }
}

function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
