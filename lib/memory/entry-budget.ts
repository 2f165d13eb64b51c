/** What a cache may hold, over all its shards together, and what it holds. */
export class EntryBudget {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Entries held. */
  entries = 0;
  /** Their weights together. */
  bytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
  }

  /** Whether one more entry of this weight stays within both bounds. */
  fits(weight: number): boolean {
    return this.entries < this.maxEntries && this.bytes + weight <= this.maxBytes;
  }

  /** Notes an entry that comes. */
  add(weight: number): void {
    this.entries += 1;
    this.bytes += weight;
  }

  /** Notes an entry that goes. */
  remove(weight: number): void {
    this.entries -= 1;
    this.bytes -= weight;
  }

  /** Notes that everything went. */
  clear(): void {
    this.entries = 0;
    this.bytes = 0;
  }
}
