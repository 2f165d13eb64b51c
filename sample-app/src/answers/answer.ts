/** What the database said: the value that is cached, and how it came about. */
export interface Answer<T> {
  readonly value: T;
  /** How long the database took for it, in milliseconds. */
  readonly databaseMs: number;
  /** When that was, as {@link wallClockMs} has it. */
  readonly answeredAt: number;
}

/** Returns milliseconds since 1970, with fractions. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}
