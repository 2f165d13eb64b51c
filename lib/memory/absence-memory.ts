const ABSENCE_REASONS = ['evicted', 'expired', 'tag', 'fenced', 'skipped', 'held'] as const;

/** Why a key that was there, or was loaded, is not there. */
export type AbsenceReason = (typeof ABSENCE_REASONS)[number];

/** Why a read found nothing: what a row tells, or else what is remembered of its key. */
export type MissCause = AbsenceReason | 'absent';

/** So many places for each entry that the table holds, or up to twice as many: it is a power of two. */
const PLACES_PER_ENTRY = 2;
const MIN_PLACES = 2 ** 10;
const MAX_PLACES = 2 ** 20;

/** The low bits of a place tell the reason, from 1 on; those above are some of the key's spread. */
const REASON_BITS = 3;
const REASON_MASK = 2 ** REASON_BITS - 1;

const CODES = Object.fromEntries(ABSENCE_REASONS.map((reason, at) => [reason, at + 1])) as Readonly<
  Record<AbsenceReason, number>
>;

/**
 * Remembers in little space, and in one step, why keys are not there: the high bits of a key's spread
 * choose a place of two bytes, which keeps 13 of the low ones and the reason. Whoever comes later takes
 * the place.
 *
 * So a key is forgotten by chance: after n others, where the table holds n entries, it is still known with a
 * probability between e^(-1/2) and e^(-1/4), 61 to 78 %. And a key is taken for another with a probability
 * of at most 2^-13; of up to 2^-10 where more than 2^17 places take some of the low bits, too.
 */
export class AbsenceMemory {
  /** Made when there is something to remember. */
  #places = new Uint16Array(0);
  #shift = 0;

  /**
   * Remembers why a key is not there.
   *
   * @param entries how many the table holds; from twice as many places on the memory is made anew, larger
   */
  note(spread: number, reason: AbsenceReason, entries: number): void {
    const enough = Math.min(Math.max(entries * PLACES_PER_ENTRY, MIN_PLACES), MAX_PLACES);
    if (this.#places.length < enough) this.#open(enough);
    this.#places[spread >>> this.#shift] = markOf(spread) | CODES[reason];
  }

  /** Returns what is remembered of a key. */
  reasonOf(spread: number): AbsenceReason | undefined {
    if (this.#places.length === 0) return undefined;
    const place = this.#places[spread >>> this.#shift]!;
    if ((place & ~REASON_MASK) !== markOf(spread)) return undefined;
    return ABSENCE_REASONS[(place & REASON_MASK) - 1];
  }

  /** Forgets a key: it is there, or somebody has deleted it. */
  forget(spread: number): void {
    if (this.#places.length === 0) return;
    const at = spread >>> this.#shift;
    if ((this.#places[at]! & ~REASON_MASK) === markOf(spread)) this.#places[at] = 0;
  }

  /** Forgets all keys. */
  clear(): void {
    this.#places = new Uint16Array(0);
  }

  #open(enough: number): void {
    const bits = Math.ceil(Math.log2(enough));
    this.#places = new Uint16Array(2 ** bits);
    this.#shift = 32 - bits;
  }
}

/** Some bits of a spread that do not choose its place. Rows do not keep the two lowest. */
function markOf(spread: number): number {
  return (spread << 1) & 0xfff8;
}
