/**
 * Returns how long cache-manager has an entry live, in milliseconds: what the call says, else the
 * default. 0, and what is not a number at all, is for ever there; less than that is over at once.
 *
 * @returns `undefined` where nobody says anything
 */
export function storedLifetime(
  ttl: number | undefined,
  defaultTtl: number | undefined,
): number | undefined {
  const said: unknown = ttl ?? defaultTtl;
  if (said === undefined) return undefined;
  return typeof said === 'number' && said !== 0 && !Number.isNaN(said) ? said : Infinity;
}
