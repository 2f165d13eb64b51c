/**
 * Returns the 32-bit hash of a text, as a signed integer. Multiplicative over the UTF-16 code units,
 * with MurmurHash3's finaliser: without the final avalanche short keys would fill only a few of the
 * high bits, which are the ones that a ring looks at.
 */
export type Hash = (text: string, seed: number) => number;

const { imul } = Math;

/** The cache's own {@link Hash}. */
export const hashText: Hash = (text, seed) => {
  let hash = seed | 0;
  for (let index = 0; index < text.length; index++) {
    hash = (imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** Returns a random seed: keys made against one cache's hash do not collide in another. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}
