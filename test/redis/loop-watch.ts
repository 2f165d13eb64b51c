const TICK_MS = 5;

/** Tells how late the event loop was: a busy machine is not to be taken for a cache that is slow. */
export class LoopWatch {
  readonly #gaps: { readonly from: number; readonly to: number }[] = [];
  #last = performance.now();
  readonly #timer = setInterval(() => this.#note(), TICK_MS);

  /** For how long nothing could run between two times; a wait that has not ended yet included. */
  lateBetween(from: number, to: number): number {
    this.#note();
    return this.#gaps.reduce(
      (sum, gap) => sum + Math.max(0, Math.min(gap.to, to) - Math.max(gap.from, from)),
      0,
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #note(): void {
    const now = performance.now();
    if (now - this.#last > 2 * TICK_MS) this.#gaps.push({ from: this.#last, to: now });
    this.#last = now;
  }
}
