import type { EntryFacts } from './entry.js';

/** What an entry has beside key, value and deadline. */
export interface EntryColumns {
  readonly facts: EntryFacts | undefined;
  readonly weight: number;
}

/**
 * What only some entries of a segment have: facts, weights, and deadlines that lie beyond the last
 * tick. A segment opens them for the first entry that needs one, and each column is made for the
 * first entry that fills it: most segments have none.
 */
export class RowColumns {
  readonly #capacity: number;
  #facts: (EntryFacts | undefined)[] | undefined;
  #weights: Float64Array | undefined;
  #far: Map<number, number> | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether an entry can have facts. */
  get holdFacts(): boolean {
    return this.#facts !== undefined;
  }

  factsAt(row: number): EntryFacts | undefined {
    return this.#facts?.[row];
  }

  weightAt(row: number): number {
    return this.#weights === undefined ? 0 : this.#weights[row]!;
  }

  /** The deadline of a row that lies beyond the last tick; `Infinity` for none. */
  farDeadlineAt(row: number): number {
    return this.#far?.get(row) ?? Infinity;
  }

  set(row: number, { facts, weight }: EntryColumns): void {
    if (this.#weights !== undefined) this.#weights[row] = weight;
    else if (weight !== 0) this.#openWeights()[row] = weight;
    if (this.#facts !== undefined) this.#facts[row] = facts;
    else if (facts !== undefined) this.#openFacts()[row] = facts;
  }

  /** Keeps the deadline of a row whose tick says never. */
  setFarDeadline(row: number, deadline: number): void {
    (this.#far ??= new Map()).set(row, deadline);
  }

  /** Forgets the far deadline of a row that gets another one. */
  forgetFarDeadline(row: number): void {
    this.#far?.delete(row);
  }

  /** Forgets what a row had: it is empty, or gets another entry. */
  forget(row: number): void {
    if (this.#weights !== undefined) this.#weights[row] = 0;
    if (this.#facts !== undefined) this.#facts[row] = undefined;
    if (this.#far !== undefined) this.#far.delete(row);
  }

  /** Gives a row what a row of these, or of other columns, has. */
  copy(row: number, from: RowColumns, source: number): void {
    this.set(row, { facts: from.factsAt(source), weight: from.weightAt(source) });
    const deadline = from.farDeadlineAt(source);
    if (deadline !== Infinity) this.setFarDeadline(row, deadline);
    else this.#far?.delete(row);
  }

  /** Takes out the far deadlines before a clock time, for rows whose ticks can say them now. */
  takeFarBefore(time: number): readonly (readonly [row: number, deadline: number])[] {
    const near = [...(this.#far ?? [])].filter(([, deadline]) => deadline < time);
    for (const [row] of near) this.#far!.delete(row);
    return near;
  }

  #openFacts(): (EntryFacts | undefined)[] {
    // oxlint-disable-next-line unicorn/no-new-array -- `Array.from` takes twenty times as long
    this.#facts = new Array<EntryFacts | undefined>(this.#capacity).fill(undefined);
    return this.#facts;
  }

  #openWeights(): Float64Array {
    this.#weights = new Float64Array(this.#capacity);
    return this.#weights;
  }
}
