/** The first and the third quartile: half of all values lie between them. */
export type InterquartileRange = readonly [first: number, third: number];

/** Returns the middle of the values; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Returns the quartiles: what the middle half of the rounds agreed on. */
export function interquartileRange(values: readonly number[]): InterquartileRange {
  return [quantile(values, 0.25), quantile(values, 0.75)];
}

/**
 * Returns the ratio of each round: the subject's figure over the yardstick's figure of that same
 * round. Both were taken within seconds of each other, so a busy minute of the machine slows both
 * and leaves the ratio alone. Dividing two medians would not do that.
 */
export function ratiosByRound(
  subject: readonly number[],
  yardstick: readonly number[],
): readonly number[] {
  if (subject.length !== yardstick.length) {
    throw new RangeError(
      `Ratios need as many rounds of both, got ${subject.length} and ${yardstick.length}.`,
    );
  }
  return subject.map((value, round) => value / yardstick[round]!);
}

/** Interpolates between the two neighbours, as spreadsheets and NumPy do by default. */
function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('A quantile needs at least one value.');
  const sorted = values.toSorted((left, right) => left - right);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const lower = sorted[below]!;
  const upper = sorted[Math.ceil(position)]!;
  return lower + (upper - lower) * (position - below);
}
