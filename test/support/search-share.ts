/**
 * Which part of the long searches is run: a thorough run on one version of Node is enough, so on the others
 * `SEARCH_SHARE=0.1` runs a tenth: of the schedules, and of the rules that are switched off, the first ones.
 */
const SHARE = Number(process.env['SEARCH_SHARE'] ?? 1);
if (!(SHARE > 0 && SHARE <= 1)) throw new RangeError('SEARCH_SHARE must be above 0 and at most 1.');

/** Returns how many of these are run. */
export function shareOf(count: number): number {
  return Math.ceil(count * SHARE);
}
