const { imul } = Math;

/** A block is one cache line: 16 words of 8 counters, read in four quarters of 4 words. */
const BLOCK_WORDS = 16;
/** Counters are 4 bits wide. */
const MAX_COUNT = 15;
/** A block serves this many keys: 16 counters, 8 bytes, for each. */
const KEYS_PER_BLOCK = 8;
/** A sketch for fewer keys is too coarse to tell a returning key from a new one (measured). */
const MIN_KEYS = 512;
/** The counts are halved after this many additions for each key. */
const ADDITIONS_PER_KEY = 10;

/**
 * Remembers in little space about how often keys were seen of late: a count-min sketch (Cormode and
 * Muthukrishnan, 2005) with small counters that are halved now and then, as TinyLFU keeps it
 * (Einziger, Friedman and Manes, 2017).
 *
 * All four counters of a key lie in one block of 64 bytes, one in each quarter, so an operation
 * touches one cache line (blocked sketches, as in Caffeine). An estimate is never too low except for
 * the halving, and too high only where all four counters are shared with more frequent keys.
 */
export class FrequencySketch {
  /** How many keys it was made for. */
  readonly keys: number;
  readonly #words: Int32Array;
  readonly #blocks: number;
  #additionsLeft: number;

  /** @param keys how many keys the counts are to tell apart; at least 512 are provided for */
  constructor(keys: number) {
    this.keys = Math.max(keys, MIN_KEYS);
    this.#blocks = Math.ceil(this.keys / KEYS_PER_BLOCK);
    this.#words = new Int32Array(this.#blocks * BLOCK_WORDS);
    this.#additionsLeft = this.keys * ADDITIONS_PER_KEY;
  }

  /** Counts a key once more, by its 32-bit hash. */
  add(hash: number): void {
    const words = this.#words;
    const mixed = mix(hash);
    const block = this.#blockOf(mixed);
    let places = placesOf(mixed);
    let added = false;
    for (let quarter = block; quarter < block + BLOCK_WORDS; quarter += 4) {
      const at = quarter + (places & 3);
      const shift = places & 28;
      if (((words[at]! >>> shift) & MAX_COUNT) !== MAX_COUNT) {
        words[at] = words[at]! + (1 << shift);
        added = true;
      }
      places >>>= 5;
    }
    if (added && --this.#additionsLeft <= 0) this.#halve();
  }

  /** About how often a key was counted of late, from 0 to 15. */
  estimate(hash: number): number {
    const words = this.#words;
    const mixed = mix(hash);
    const block = this.#blockOf(mixed);
    let places = placesOf(mixed);
    let least = MAX_COUNT;
    for (let quarter = block; quarter < block + BLOCK_WORDS; quarter += 4) {
      const count = (words[quarter + (places & 3)]! >>> (places & 28)) & MAX_COUNT;
      if (count < least) least = count;
      places >>>= 5;
    }
    return least;
  }

  #blockOf(mixed: number): number {
    return (((mixed >>> 16) * this.#blocks) >>> 16) * BLOCK_WORDS;
  }

  /** Forgets half: what was popular once makes place for what is now. */
  #halve(): void {
    const words = this.#words;
    let odd = 0;
    for (let at = 0; at < words.length; at++) {
      odd += countOnes(words[at]! & 0x11111111);
      words[at] = (words[at]! >>> 1) & 0x77777777;
    }
    const additions = this.keys * ADDITIONS_PER_KEY;
    this.#additionsLeft = additions - Math.max(0, (additions - (odd >>> 2)) >>> 1);
  }
}

/** The keys' hashes have been used for the ring and the index: the bits are mixed anew. */
function mix(hash: number): number {
  const mixed = imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** Twenty bits, five for each quarter: two choose the word, three the counter in it. */
function placesOf(mixed: number): number {
  return imul(mixed, 0xc2b2ae35) >>> 12;
}

function countOnes(nibbles: number): number {
  return imul(nibbles, 0x11111111) >>> 28;
}
