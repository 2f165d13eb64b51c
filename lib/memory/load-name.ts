import type { LoadWish } from './load-request.js';

/**
 * What a load, or a lookup for one, is found by: those of other variants of a key are others. No key and no
 * variant has this character.
 */
export function loadName({ key, variant }: Pick<LoadWish, 'key' | 'variant'>): string {
  return variant === undefined ? key : `${key}\u001e${variant}`;
}
