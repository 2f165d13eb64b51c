import type { WriteStream } from 'node:tty';

const WIDTH = 30;
const LINE_EVERY_MS = 5_000;

/** Shows how far something is: a bar that rewrites itself on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  readonly #stream: WriteStream;
  #shownAt = -Infinity;

  constructor(stream: WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /**
   * @param share how much is done, from 0 to 1
   * @param text what there is to say of it
   */
  show(share: number, text: string): void {
    const done = Math.round(share * WIDTH);
    const percent = String(Math.floor(share * 100)).padStart(3);
    if (this.#stream.isTTY) {
      const line = `[${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}] ${percent} %  ${text}`;
      this.#stream.write(`\r${line.slice(0, this.#stream.columns - 1)}\u001B[K`);
      return;
    }
    const now = performance.now();
    if (share < 1 && now - this.#shownAt < LINE_EVERY_MS) return;
    this.#shownAt = now;
    this.#stream.write(`${percent} %  ${text}\n`);
  }

  /** Leaves what is shown where it is. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\n');
  }
}
