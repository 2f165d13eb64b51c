/** How often which key is asked for. */
export interface ZipfWorkload {
  /** How many different keys there are. */
  readonly keys: number;
  /** How many requests are made. */
  readonly requests: number;
  /** The same seed makes the same requests. */
  readonly seed: number;
  /** How steep popularity falls: the n-th key is asked for 1 / n^exponent as often. @default 0.99 */
  readonly exponent?: number;
}

/**
 * Returns the requests of a Zipf workload as key numbers from 0 to `keys - 1`: a few keys are asked
 * for all the time and most hardly ever, as with users, products and pages. 0.99 is what YCSB uses.
 *
 * Popularity is scattered over the numbers. Were key 0 the most popular, then key 1, a cache filled
 * in order would hold its hot entries side by side in memory, which no application does.
 */
export function zipfRequests({
  keys,
  requests,
  seed,
  exponent = 0.99,
}: ZipfWorkload): Uint32Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const keyOfRank = shuffledNumbers(keys, random);
  const weightUpTo = cumulativeWeights(keys, exponent);
  const total = weightUpTo[keys - 1]!;
  const rankOf = (): number => firstAtLeast(weightUpTo, random() * total);
  return Uint32Array.from({ length: requests }, () => keyOfRank[rankOf()]!);
}

/** Names a key as applications do, with the number in the middle. */
export function keyOf(id: number): string {
  return `user:${id}:profile`;
}

/** Keys that are parsed in one piece. */
const KEYS_PER_TEXT = 100_000;

/**
 * Returns `count` keys that callers hold and ask with again and again, from the number `first` on.
 *
 * They come out of a parser, as names that an application keeps come out of a driver or a file:
 * their characters lie in one piece. A template string is a tree of its parts, and stays a
 * detour after it was read for the first time; {@link keyOf} makes such ones for the cases in which
 * a key is built for each call.
 */
export function heldKeys(count: number, first = 0): readonly string[] {
  const keys: string[] = [];
  while (keys.length < count) {
    const from = first + keys.length;
    const length = Math.min(KEYS_PER_TEXT, count - keys.length);
    const text = JSON.stringify(Array.from({ length }, (_, index) => keyOf(from + index)));
    for (const key of JSON.parse(text) as string[]) keys.push(key);
  }
  return keys;
}

/** Returns a seeded source of numbers from 0 up to 1 (Mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fisher and Yates' shuffle of the numbers from 0 to `count - 1`. */
function shuffledNumbers(count: number, random: () => number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const moved = numbers[last]!;
    numbers[last] = numbers[other]!;
    numbers[other] = moved;
  }
  return numbers;
}

function cumulativeWeights(count: number, exponent: number): Float64Array {
  let sum = 0;
  return Float64Array.from({ length: count }, (_, rank) => (sum += (rank + 1) ** -exponent));
}

/** Finds the first position in ascending values that holds at least `wanted`, by halving. */
function firstAtLeast(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
