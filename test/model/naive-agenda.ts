interface Item {
  readonly at: number;
  /** Whether it follows at once from what happens now. */
  readonly isNext: boolean;
  readonly run: () => void;
}

/** Virtual time: what is to happen when. What is due at once happens when the step is over. */
export class NaiveAgenda {
  #now: number;
  #items: Item[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): void {
    this.#items.push({ at: this.#now + ms, isNext: ms === 0, run });
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#items = this.#items.filter((item) => item !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }

  /** The earliest; of several what follows from the one before, then what was noted first. */
  #next(until: number): Item | undefined {
    let next: Item | undefined;
    for (const item of this.#items) {
      if (item.at > until) continue;
      const isTie = next?.at === item.at;
      if (next === undefined || item.at < next.at || (isTie && item.isNext && !next.isNext))
        next = item;
    }
    return next;
  }
}
