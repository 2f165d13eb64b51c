import { nameOf, type PlannedCell } from './runner.js';

const LINE_EVERY_MS = 5_000;

/**
 * Shows on standard error which cell runs and how long the rest will take: one line that rewrites
 * itself on a terminal, a line every few seconds elsewhere. A cell is expected to take as long as
 * the one of the same subject and case did before, an unknown one as long as the mean.
 */
export class Progress {
  readonly #cells: readonly PlannedCell[];
  readonly #expectedMs = new Map<string, number>();
  #begun = 0;
  #startedAt = 0;
  #shownAt = -Infinity;

  /** @param cells all cells of the run, in their order */
  constructor(cells: readonly PlannedCell[]) {
    this.#cells = cells;
  }

  /** Notes that the next cell begins, which ends the one before it. */
  begin(): void {
    const now = performance.now();
    const before = this.#cells[this.#begun - 1];
    if (before !== undefined) this.#expectedMs.set(keyOf(before), now - this.#startedAt);
    this.#begun += 1;
    this.#startedAt = now;
    this.#show(now);
  }

  /** Clears the line for whatever is printed next. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  }

  #show(now: number): void {
    const isTerminal = process.stderr.isTTY;
    if (!isTerminal && now - this.#shownAt < LINE_EVERY_MS) return;
    this.#shownAt = now;
    const place = `${this.#begun}/${this.#cells.length}, ${this.#timeLeft()}`;
    const line = `[${place}] ${nameOf(this.#cells[this.#begun - 1]!)}`;
    if (!isTerminal) process.stderr.write(`${line}\n`);
    else process.stderr.write(`\r${line.slice(0, process.stderr.columns - 1)}\u001B[K`);
  }

  #timeLeft(): string {
    const known = [...this.#expectedMs.values()];
    if (known.length === 0) return 'time left not known yet';
    const meanMs = known.reduce((sum, ms) => sum + ms, 0) / known.length;
    const left = this.#cells.slice(this.#begun - 1);
    const leftMs = left.reduce((sum, cell) => {
      return sum + (this.#expectedMs.get(keyOf(cell)) ?? meanMs);
    }, 0);
    const seconds = Math.ceil(leftMs / 1_000);
    return seconds < 90 ? `${seconds} s left` : `${Math.ceil(seconds / 60)} min left`;
  }
}

function keyOf({ suite, case: measured, subject }: PlannedCell): string {
  return `${suite.name}\n${measured.name}\n${subject}`;
}
