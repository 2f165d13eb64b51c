/**
 * Returns the 32-bit hash of a text, as a signed integer. All 32 bits are used: a ring looks at the
 * high ones.
 */
export type Hash = (text: string, seed: number) => number;

const { imul } = Math;

/** An odd number near 2^32 divided by the golden ratio: its bits are well mixed. */
const MULTIPLIER = 0x9e3779b1;

/**
 * The cache's own {@link Hash}: FNV-1a over the UTF-16 code units with a multiplier that reaches all
 * bits, then MurmurHash3's finaliser, without which short texts fill only a few of the high bits.
 * The seed goes through every step together with the text, so texts that collide under one seed do
 * not under another; a sum of the two would let them.
 */
export const hashText: Hash = (text, seed) => {
  let hash = seed | 0;
  for (let index = 0; index < text.length; index++) {
    hash = imul(hash ^ text.charCodeAt(index), MULTIPLIER);
  }
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** Returns a random seed: keys made against one cache's hash do not collide in another. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
