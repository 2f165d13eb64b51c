import type { Clock } from '../clock.js';
import type { Stamps } from './cache-shard.js';
import { WALK_END, type RowTable, type WalkPosition } from './row-table.js';
import { isSparse, type SweepPorts } from './segment-sweep.js';
import type { Segment } from './segment.js';
import type { TableMetrics } from './table-metrics.js';

/** What a {@link TableSweep} goes through. */
export interface TableSweepOptions<V> {
  readonly tables: readonly RowTable<V>[];
  /** Tables that advance side by side. */
  readonly maxWorkers: number;
  readonly stamps?: Stamps | undefined;
  /** What is expired at this clock time is removed. */
  readonly now: number;
}

interface Walk<V> {
  readonly table: RowTable<V>;
  position: WalkPosition;
  /** The order of invalidations when the walk began. */
  readonly order: number;
  /** Asked about entries with facts if tags or namespaces were invalidated since the last sweep. */
  readonly admits: SweepPorts['admits'];
}

/** One sweep over all tables of a cache, segment by segment, a few tables side by side. */
export class TableSweep<V> {
  readonly #options: TableSweepOptions<V>;
  readonly #waiting: RowTable<V>[];
  readonly #working: Walk<V>[] = [];

  constructor(options: TableSweepOptions<V>) {
    this.#options = options;
    this.#waiting = [...options.tables];
  }

  /** Whether every segment has been seen. */
  get done(): boolean {
    return this.#working.length === 0 && this.#waiting.length === 0;
  }

  /** Sweeps the next segment in which something can have died; returns how many entries it removed. */
  step(): number {
    for (;;) {
      while (this.#working.length < this.#options.maxWorkers && this.#waiting.length > 0) {
        this.#working.push(this.#begin(this.#waiting.shift()!));
      }
      const walk = this.#working.shift();
      if (walk === undefined) return 0;
      const segment = this.#nextDue(walk);
      if (segment === undefined) {
        this.#goOn(walk);
        continue;
      }
      const removed = walk.table.sweep(segment, { now: this.#options.now, admits: walk.admits });
      this.#goOn(walk);
      return removed;
    }
  }

  #begin(table: RowTable<V>): Walk<V> {
    const { stamps } = this.#options;
    const order = stamps?.order ?? 0;
    const isInvalidated = order > table.sweptOrder;
    const admits: Walk<V>['admits'] = isInvalidated
      ? (key, facts) => stamps!.admits(key, facts)
      : undefined;
    return { table, position: 0, order, admits };
  }

  /** Puts a walk back in line, or notes that it has seen the whole table. */
  #goOn(walk: Walk<V>): void {
    if (walk.position < WALK_END) this.#working.push(walk);
    else walk.table.sweptOrder = walk.order;
  }

  #nextDue(walk: Walk<V>): Segment<V> | undefined {
    while (walk.position < WALK_END) {
      const segment = walk.table.segmentAt(walk.position);
      walk.position = walk.table.positionAfter(walk.position);
      const isExpiring = segment.earliestDeadline <= this.#options.now;
      if (isExpiring || isSparse(segment) || (walk.admits !== undefined && segment.holdsFacts))
        return segment;
    }
    return undefined;
  }
}

/** What a {@link TableSweeper} is made of. */
export interface TableSweeperOptions<V> extends Omit<TableSweepOptions<V>, 'tables' | 'now'> {
  /** Every table that holds entries now. */
  readonly tables: () => readonly RowTable<V>[];
  readonly clock: Clock;
}

type CleanupMetrics = Pick<
  TableMetrics,
  'cleanupDurationMs' | 'cleanupSlices' | 'longestCleanupSliceMs'
>;

/** Carries out one sweep after the other, in slices. */
export class TableSweeper<V> {
  readonly #options: TableSweeperOptions<V>;
  #sweep: TableSweep<V> | undefined;
  #busyMs = 0;
  #slices = 0;
  #longestSliceMs = 0;

  constructor(options: TableSweeperOptions<V>) {
    this.#options = options;
  }

  getMetrics(): CleanupMetrics {
    return {
      cleanupDurationMs: this.#busyMs,
      cleanupSlices: this.#slices,
      longestCleanupSliceMs: this.#longestSliceMs,
    };
  }

  resetMetrics(): void {
    this.#busyMs = 0;
    this.#slices = 0;
    this.#longestSliceMs = 0;
  }

  /** Sweeps for about `budgetMs`, anew or where the last slice ended; see `ShardedTable.sweep`. */
  run(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    const { clock, tables, maxWorkers, stamps } = this.#options;
    const startedAt = clock.now();
    if (anew || this.#sweep === undefined) {
      this.#sweep = new TableSweep({ tables: tables(), maxWorkers, stamps, now: startedAt });
    }
    const sweep = this.#sweep;
    let removed = 0;
    let endedAt: number;
    do {
      removed += sweep.step();
      endedAt = clock.now();
    } while (!sweep.done && endedAt - startedAt < budgetMs);
    if (sweep.done) this.#sweep = undefined;
    const sliceMs = endedAt - startedAt;
    this.#busyMs += sliceMs;
    this.#slices += 1;
    this.#longestSliceMs = Math.max(this.#longestSliceMs, sliceMs);
    return { removed, more: !sweep.done };
  }
}
