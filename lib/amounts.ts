/**
 * Returns what a text says that is a number and a unit, in the smallest of the units; `undefined` for any other. It
 * takes whatever the type `${number}${unit}` does, such as `'1 h'` or `'.5s'`.
 *
 * @param units how much each of them is
 */
export function parseAmount(
  text: unknown,
  units: Readonly<Record<string, number>>,
): number | undefined {
  if (typeof text !== 'string') return undefined;
  for (const [unit, size] of Object.entries(units)) {
    if (!text.endsWith(unit)) continue;
    const amount = text.slice(0, -unit.length);
    // '250ms' ends with 's' as well, and '250m' is no number.
    if (amount.trim() !== '' && Number.isFinite(Number(amount))) return Number(amount) * size;
  }
  return undefined;
}
