import { randomNumbers } from '../../lib/testing/random-numbers.js';

/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** One of the items, more often the heavier it is. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T;
}

/** Made of the numbers that chaos levels are made of. */
export function randomFrom(seed: number): Random {
  const next = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    weighted(items) {
      let left = below(items.reduce((sum, [weight]) => sum + weight, 0));
      for (const [weight, item] of items) {
        left -= weight;
        if (left < 0) return item;
      }
      return items[0]![1];
    },
  };
}
