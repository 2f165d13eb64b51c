/** What was tried, a row each, on what, a column each; printed as a table. */
export class MatrixTable {
  #columns;
  #rows = new Map();
  #failed = false;

  /** @param {readonly string[]} columns */
  constructor(columns) {
    this.#columns = columns;
  }

  get failed() {
    return this.#failed;
  }

  /** Runs one cell. What it throws is printed and noted: the others are run all the same. */
  try(row, column, check) {
    const startedAt = performance.now();
    const note = (result) => {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      this.note(row, column, `${result} (${seconds} s)`);
      console.log(`${row}, ${column}: ${result} (${seconds} s)`);
    };
    try {
      check();
      note('ok');
    } catch (error) {
      console.error(error.message);
      note('FAILED');
      this.#failed = true;
    }
  }

  /** Writes into a cell that is not run. */
  note(row, column, text) {
    if (!this.#rows.has(row)) this.#rows.set(row, new Map());
    this.#rows.get(row).set(column, text);
  }

  print() {
    const lines = [['', ...this.#columns]];
    for (const [row, cells] of this.#rows) {
      lines.push([row, ...this.#columns.map((column) => cells.get(column) ?? '-')]);
    }
    const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
    return lines
      .map((line) =>
        line
          .map((cell, at) => cell.padEnd(widths[at]))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}
