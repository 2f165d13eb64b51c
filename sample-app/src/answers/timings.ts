import { Injectable } from '@nestjs/common';

/** Where an answer came from. */
export type Source = 'database' | 'cache';

/** How many answers came from one source and how long the latest took, in milliseconds. */
export interface Timing {
  readonly answers: number;
  readonly lastMs: number;
}

/** Remembers for each endpoint how its answers came about, for the page and `GET /stats`. */
@Injectable()
export class Timings {
  private readonly endpoints: Record<string, Partial<Record<Source, Timing>>> = {};

  record(endpoint: string, source: Source, ms: number): void {
    const timings = (this.endpoints[endpoint] ??= {});
    timings[source] = { answers: (timings[source]?.answers ?? 0) + 1, lastMs: ms };
  }

  all(): Readonly<Record<string, Partial<Record<Source, Timing>>>> {
    return this.endpoints;
  }
}
