/** What one cell measured. */
export interface Sample {
  /** The figure, in the case's unit. */
  readonly value: number;
  /**
   * What the work came to, such as the sum of all values read. Printing it keeps the compiler from
   * dropping the work, and it must be the same for every subject: then they all did the same.
   */
  readonly checksum: number;
  /** What else the same measurement showed, under the names and units of the case's `beside`. */
  readonly beside?: Readonly<Record<string, number>>;
}

/** What a figure counts. Less is better, but for hits, and for operations and requests per second. */
export type Unit =
  | 'ns/op'
  | 'us/request'
  | 'ms'
  | 'bytes/entry'
  | 'loads'
  | 'stale keys'
  | '% hits'
  | '% of calls'
  | 'ops/s'
  | 'requests/s';

/** What a cell is told about its place in the run. */
export interface Cell {
  /** Counts from 0. All subjects of a round get the same work: seed the workload with it. */
  readonly round: number;
}

/**
 * Prepares one thing under measurement, measures it and returns its figure. Runs alone in a process
 * of its own, so it imports what it measures itself: nothing else is loaded, compiled or on the heap.
 */
export type Subject = (cell: Cell) => Promise<Sample>;

/** One table: the same work done by several subjects. */
export interface Case {
  /** What is done, on how much: reads as the heading of the table. */
  readonly name: string;
  readonly unit: Unit;
  /** Further figures of each measurement, with their units; each becomes a table of its own. */
  readonly beside?: Readonly<Record<string, Unit>>;
  /** The subjects whose figures the others' are divided by. */
  readonly against: readonly string[];
  /** In the order of measurement; every second round runs it backwards. */
  readonly subjects: Readonly<Record<string, Subject>>;
  /** Subjects that are measured only when all are asked for. */
  readonly peers?: Readonly<Record<string, Subject>>;
}

/** The cases behind one claim; `npm run bench -- <name>` runs it alone. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}
