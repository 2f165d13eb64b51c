import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { FenceOracle } from './fence-oracle.js';
import type { Moment } from './traced.js';

export const JOIN_TIMEOUT_MS = 100;

/** A call that may load its key. */
export interface Flight {
  readonly path: string;
  readonly askedAt: number;
  /** The clock time of that. */
  readonly at: number;
  readonly options: LoadOptions;
  /** The clock time at which the caller leaves who has no answer. */
  readonly leavesAt: number;
  /** The step at which its loader was called. */
  begunAt: number | undefined;
  isLoading: boolean;
  isAnswered: boolean;
  hasLeft: boolean;
}

/** What there was of one key. */
interface Key {
  readonly flights: Flight[];
  /** The last step at which something other than a load ended what is loaded. */
  touchedAt: number;
  /** The loads whose loaders have ended, and when: loads called before them are over. */
  readonly brought: { readonly flight: Flight; readonly at: number }[];
  isUpdating: boolean;
}

/**
 * Watches that no key is loaded twice at a time, but for loads that the key can do without: one
 *
 * - that was invalidated, or called before a set, an update or another load was stored;
 * - that a caller with `forceRefresh` did not wait for, or who asked when a hold was over;
 * - that was waited for, or went on behind its callers, for `joinTimeout`;
 * - that took longer than its `hardTimeout`;
 * - whose callers have all left.
 *
 * Loads of calls with another `skip` are others. It also watches that updates of a key take turns.
 */
export class FlightWatch {
  readonly #moment: Moment;
  readonly #oracle: FenceOracle;
  readonly #keys = new Map<string, Key>();
  /** The clock times at which holds end, of any key and tag. */
  readonly #holdEnds: number[] = [];

  constructor(moment: Moment, oracle: FenceOracle) {
    this.#moment = moment;
    this.#oracle = oracle;
  }

  /** Notes that a key, or every key, was invalidated or written. */
  touch(path?: string): void {
    const { step } = this.#moment;
    if (path !== undefined) this.#of(path).touchedAt = step;
    else for (const key of this.#keys.values()) key.touchedAt = step;
  }

  noteHold(endsAt: number): void {
    this.#holdEnds.push(endsAt);
  }

  /** Notes a call that joins the load of its key, or begins one if nothing has the value. */
  ask(path: string, options: LoadOptions, abortsAt = Infinity): Flight {
    const at = this.#moment.clock.now();
    const waitMs = (options.waitTimeout as number | undefined) ?? Infinity;
    const flight: Flight = {
      path,
      askedAt: this.#moment.step,
      at,
      options,
      leavesAt: Math.min(at + waitMs, abortsAt),
      begunAt: undefined,
      isLoading: false,
      isAnswered: false,
      hasLeft: false,
    };
    this.#of(path).flights.push(flight);
    return flight;
  }

  /** Notes that the loader of a call is called: no other load of its key may be under way. */
  begin(flight: Flight): void {
    const { flights } = this.#of(flight.path);
    for (const other of flights) {
      if (other === flight || !this.#isUnderWay(other) || !isSamePlace(flight, other)) continue;
      if (!this.#isAllowed(flight, other))
        this.#oracle.violate(
          `a second load of ${flight.path}, asked for at ${flight.askedAt}, beside that of ${other.askedAt}`,
        );
    }
    flight.begunAt = this.#moment.step;
    flight.isLoading = true;
  }

  /** Notes that its loader has ended. */
  end(flight: Flight): void {
    flight.isLoading = false;
    this.#of(flight.path).brought.push({ flight, at: this.#moment.step });
  }

  /** Notes that a caller has an answer or an error, or has left. */
  answer(flight: Flight, hasLeft: boolean): void {
    flight.isAnswered = true;
    flight.hasLeft = hasLeft;
  }

  beginUpdate(path: string): () => void {
    const key = this.#of(path);
    if (key.isUpdating) this.#oracle.violate(`two updates of ${path} at a time`);
    key.isUpdating = true;
    return () => {
      key.isUpdating = false;
    };
  }

  /** Until what its loader brought is stored everywhere, which its caller waits for. */
  #isUnderWay({ begunAt, isLoading, isAnswered }: Flight): boolean {
    return begunAt !== undefined && (isLoading || !isAnswered);
  }

  #isAllowed(flight: Flight, other: Flight): boolean {
    const isEarlier = flight.askedAt <= other.askedAt;
    const [first, last] = isEarlier ? [flight, other] : [other, flight];
    const { touchedAt } = this.#of(first.path);
    const now = this.#moment.clock.now();
    return (
      touchedAt >= first.askedAt ||
      now - first.at >= JOIN_TIMEOUT_MS ||
      this.#wasOvertaken(first) ||
      this.#holdEnds.some((end) => first.at < end && end <= now) ||
      this.#wasForcedOut(first) ||
      [first, last].some((one) => this.#isGivenUp(one) || this.#isAbandoned(one))
    );
  }

  #wasOvertaken(first: Flight): boolean {
    const { askedAt } = first;
    return this.#of(first.path).brought.some(
      ({ flight, at }) => flight !== first && at >= askedAt && flight.begunAt! >= askedAt,
    );
  }

  #wasForcedOut(first: Flight): boolean {
    if (first.options.forceRefresh === true) return false;
    const { flights } = this.#of(first.path);
    return flights.some(
      (one) =>
        one.options.forceRefresh === true &&
        one.askedAt >= first.askedAt &&
        isSamePlace(one, first),
    );
  }

  #isGivenUp({ at, options }: Flight): boolean {
    const { hardTimeout } = options;
    return typeof hardTimeout === 'number' && this.#moment.clock.now() - at >= hardTimeout;
  }

  /** Whether nobody can wait for a load any more whose caller did when leaving. */
  #isAbandoned(load: Flight): boolean {
    if (!this.#hasLeft(load)) return false;
    const { flights } = this.#of(load.path);
    const isWaiting = (one: Flight): boolean =>
      one.askedAt > load.askedAt &&
      one.at < load.leavesAt &&
      one.begunAt === undefined &&
      !one.isAnswered &&
      !this.#hasLeft(one) &&
      isSamePlace(one, load);
    return !flights.some(isWaiting);
  }

  #hasLeft({ isAnswered, hasLeft, leavesAt }: Flight): boolean {
    return isAnswered ? hasLeft : leavesAt <= this.#moment.clock.now();
  }

  #of(path: string): Key {
    let key = this.#keys.get(path);
    if (key === undefined) {
      key = { flights: [], touchedAt: 0, brought: [], isUpdating: false };
      this.#keys.set(path, key);
    }
    return key;
  }
}

/** Whether two calls meet in one place. */
function isSamePlace(one: Flight, other: Flight): boolean {
  return placeOf(one) === placeOf(other);
}

function placeOf({ options: { skip } }: Flight): string {
  return `${skip?.read?.join() ?? ''}/${skip?.write?.join() ?? ''}`;
}
