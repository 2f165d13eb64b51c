/** Marks what any changed place may change: which places are nearest, or match a name. */
export const ANY_PLACE = 'places';

/** Marks what only a changed place of that country may change. */
export function placesIn(country: string): string {
  return `places-in:${country}`;
}
