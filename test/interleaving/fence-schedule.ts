import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import { randomFrom, type Random } from '../support/random.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';
import { FenceActions, KEYS, type Place } from './fence-actions.js';
import { FenceOracle } from './fence-oracle.js';
import { FlightWatch, JOIN_TIMEOUT_MS } from './flight-watch.js';
import { HeldBack } from './held-back.js';
import { LEVEL_TIMEOUT_MS, ScheduleLevels, type Levels } from './schedule-levels.js';
import type { Traced } from './traced.js';

/** Longer than any time between two attempts to repeat what a level did not confirm. */
const LONGEST_RETRIES_MS = 100_000;
const TTL_MS = 150;
const LONG_TTL_MS = 1_000_000;

/**
 * One schedule: at each step either a caller does something or something held back is let go, as
 * the seed says. After each step every key is read in every way that takes no time.
 */
export class FenceSchedule {
  readonly #random: Random;
  /** A long one has lower levels be read when what is in memory has expired. */
  readonly #ttlMs: number;
  readonly #clock = new VirtualClock(async () => {
    await settleMicrotasks();
    this.#noteStored();
  });
  readonly #moment = { step: 0, clock: this.#clock };
  readonly #held: HeldBack;
  readonly #levels: ScheduleLevels;
  readonly #oracle: FenceOracle;
  readonly #cache: CacheHierarchy;
  /** The keys under test, in the root and in a namespace. */
  readonly #places: readonly Place[];
  /** Those that something is done with: where it is one, more happens to it at a time. */
  readonly #busy: readonly Place[];
  readonly #actions: FenceActions;
  readonly #open = new Set<Promise<unknown>>();

  constructor(seed: number, levels: Levels) {
    const [random, clock] = [randomFrom(seed), this.#clock];
    const isSync = !levels.includes('remote');
    this.#random = random;
    this.#held = new HeldBack(random);
    this.#oracle = new FenceOracle(this.#moment, isSync);
    const watched = { random, clock, held: this.#held, oracle: this.#oracle };
    this.#levels = new ScheduleLevels({ ...watched, levels });
    this.#ttlMs = !isSync && random.below(3) > 0 ? LONG_TTL_MS : TTL_MS;
    const options = {
      clock,
      joinTimeout: JOIN_TIMEOUT_MS,
      lockTimeout: 1_000,
      levelTimeout: LEVEL_TIMEOUT_MS,
      maxConcurrentLoads: random.below(2) === 0 ? 2 : Infinity,
      maxStamps: random.below(4) === 0 ? 1 + random.below(2) : 1_000,
      ttl: this.#ttlMs,
      report: () => {},
      l1: { maxEntries: 3, ttl: 50, seed: 1, virtualNodes: 1 },
      ...this.#levels.options(),
    };
    this.#cache = new CacheHierarchy(options, { handOver: (grant) => this.#held.add(grant) });
    this.#places = [
      ...placesOf(this.#cache, ''),
      ...placesOf(this.#cache.namespace('users'), 'users/'),
    ];
    this.#busy = random.below(2) === 0 ? this.#places : [random.pick(this.#places)];
    this.#actions = new FenceActions({
      ...watched,
      cache: this.#cache,
      moment: this.#moment,
      flights: new FlightWatch(this.#moment, this.#oracle),
      ttlMs: this.#ttlMs,
      isSync,
      track: (settling) => this.#track(settling),
    });
  }

  /** Returns what was wrong first, or `undefined`. */
  async run(steps: number): Promise<string | undefined> {
    for (let step = 1; step <= steps && this.#oracle.violation === undefined; step++) {
      this.#moment.step = step;
      await this.#act();
      await settleMicrotasks();
      this.#readEverything();
    }
    this.#moment.step += 1;
    await this.#finish();
    return this.#oracle.violation;
  }

  async #act(): Promise<void> {
    const place = this.#random.pick(this.#busy);
    const actions = this.#actions;
    // Where levels take time more has to be let go, and less be invalidated, for them to be found full.
    const isFast = !this.#levels.hasRemote;
    // What is on its way to a level is what invalidations are for.
    const more = this.#levels.isWriting(place.path) ? 3 : 1;
    const isRare = isFast || this.#random.below(3) === 0;
    const weighted: [weight: number, action: () => unknown][] = [
      [6, () => actions.load(place)],
      [1, () => actions.loadMany(place)],
      [isFast ? 0 : 4, () => actions.get(place)],
      [3, () => actions.set(place)],
      [isFast ? 3 : 2, () => actions.update(place)],
      [isFast ? 8 : 26, () => this.#held.letGo()],
      [isFast ? 2 : 1, () => actions.delete(place)],
      [isFast ? 2 : more, () => actions.expire(place)],
      [isFast ? 2 : more, () => actions.invalidateTag()],
      [isRare ? more : 0, () => actions.clear(this.#cache, '')],
      [isRare ? 1 : 0, () => actions.clear(this.#places.at(-1)!.view, 'users/')],
      [isFast ? 0 : 1, () => this.#writeElsewhere(place.path)],
      [isFast ? 2 : 3, () => this.#clock.advance(this.#random.below(JOIN_TIMEOUT_MS + 20))],
    ];
    await this.#random.weighted(weighted)();
  }

  #writeElsewhere(path: string): void {
    const { value, grace } = this.#actions.makeElsewhere();
    this.#levels.writeElsewhere(path, value, { ttl: this.#ttlMs, grace });
  }

  #readEverything(): void {
    const { step } = this.#moment;
    for (const { view, key, path } of this.#busy) {
      this.#oracle.check(path, view.peek<Traced>(key), step, 'peek');
      this.#oracle.check(path, view.getIfPresent<Traced>(key), step, 'getIfPresent');
    }
  }

  /** What comes and goes between two steps was stored, too. */
  #noteStored(): void {
    for (const { view, key } of this.#places) {
      const value = view.peek<Traced>(key);
      if (value !== undefined) this.#oracle.noteStorable(value);
    }
  }

  /** What a level has is found by a `get`, what it keeps as a stale answer by a loader that fails. */
  async #readAll({ view, key, path }: Place): Promise<void> {
    const { step } = this.#moment;
    this.#oracle.check(path, await view.get<Traced>(key), step, 'get');
    const answer = view.getOrSet<Traced>(key, async ({ stale }) => {
      this.#oracle.check(path, stale as Traced | undefined, step, 'a loader');
      throw new Error('the loader failed');
    });
    const failed = (): undefined => undefined;
    this.#oracle.check(path, await answer.catch(failed), step, 'getOrSet');
  }

  #track(settling: Promise<unknown>): void {
    const settled = settling.finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  /**
   * Everything held is let go, and the levels answer from now on: then every caller must have been
   * answered, every level have confirmed what it was told, and nothing be left.
   */
  async #finish(): Promise<void> {
    this.#held.isOver = true;
    while (this.#held.size > 0) {
      this.#held.letGo();
      await settleMicrotasks();
    }
    await this.#clock.advance(LONGEST_RETRIES_MS);
    for (const place of this.#places) await this.#readAll(place);
    await settleMicrotasks();
    const { inFlight, locks, lower, waitingLoads } = this.#cache.getMetrics();
    const unconfirmed = Object.values(lower).reduce(
      (sum, level) => sum + level.inFlight + level.unconfirmed,
      0,
    );
    if (this.#open.size + inFlight + locks.heldKeys + unconfirmed + waitingLoads > 0) {
      this.#oracle.violate(
        `at the end ${this.#open.size} callers wait, ${inFlight} tickets are open, ` +
          `${locks.heldKeys} keys are locked, ${unconfirmed} changes are not confirmed, ` +
          `${waitingLoads} loaders wait`,
      );
    }
    await this.#cache.close();
    if (this.#clock.pending > 0)
      this.#oracle.violate(`at the end ${this.#clock.pending} timers are left`);
  }
}

function placesOf(view: CacheView, name: string): Place[] {
  return KEYS.map((key) => ({ view, name, key, path: name + key }));
}
