/**
 * Returns the 32-bit hash of a text, as a signed integer. All 32 bits are used: a ring looks at the
 * high ones.
 */
export type Hash = (text: string, seed: number) => number;

const { imul } = Math;

/** An odd number near 2^32 divided by the golden ratio: its bits are well mixed. */
const MULTIPLIER = 0x9e3779b1;

/**
 * The cache's own {@link Hash}: FNV-1a with a multiplier that reaches all bits, over two UTF-16 code
 * units at a time and in two lanes, since each multiplication has to await the one before it in its
 * lane; then MurmurHash3's finaliser, without which short texts fill only a few of the high bits.
 *
 * After each step the high bits are folded into the low ones. Without that the low bits of a lane
 * would depend on nothing but low bits, characters would meet only seven bits of the seed, and most
 * texts that collide under one seed would collide under any.
 */
export const hashText: Hash = (text, seed) => {
  const { length } = text;
  let one = seed | 0;
  let other = ~seed;
  let at = 0;
  for (; at + 3 < length; at += 4) {
    one = imul(one ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), MULTIPLIER);
    one ^= one >>> 15;
    other = imul(other ^ (text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16)), MULTIPLIER);
    other ^= other >>> 15;
  }
  for (; at < length; at++) {
    one = imul(one ^ text.charCodeAt(at), MULTIPLIER);
    one ^= one >>> 15;
  }
  let hash = imul(one ^ length, 0x85ebca6b) ^ other;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/**
 * Returns the bits that rows are found by: a multiplication spreads a hash over all 32 (Knuth,
 * volume 3, 6.4). The ring has used the high ones, so all keys of a shard are alike in those.
 */
export function spreadOf(hash: number): number {
  return imul(hash, MULTIPLIER);
}

/** Returns a random seed: keys made against one cache's hash do not collide in another. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
