import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { randomFrom, type Random } from '../support/random.js';
import { SkewedClock } from '../support/skewed-clock.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';
import { FleetActions, KEYS, type FleetPlace } from './fleet-actions.js';
import { FleetNetwork } from './fleet-network.js';
import { bytesOfId, FleetOracle, idOfBytes, type FleetValue } from './fleet-oracle.js';
import { HeldBack } from './held-back.js';

const MAX_STALE_MS = 2_000;
const LEASE_MS = 600;
const LEVEL_TIMEOUT_MS = 250;
const JOIN_TIMEOUT_MS = 800;
const TTL_MS = 700;
const LONG_TTL_MS = 1_000_000;
/** Longer than any time between two attempts to repeat what the level did not confirm. */
const LONGEST_CALM_MS = 60_000;
/** A server goes back by so much at most, and everybody hears of that in time to tell it once more. */
const MAX_REWIND_MS = 8_000;
const AFTER_REWIND_MS = 8_000;

/** By so much at most the clock of a process is behind that of the server, or before it. */
const FARTHEST_MS = 600_000;

/** How often what goes wrong. */
const WEATHERS = [
  { breaks: 0, cuts: 0, copies: 0, losses: 0 },
  { breaks: 6, cuts: 0, copies: 0, losses: 0 },
  { breaks: 1, cuts: 4, copies: 0, losses: 0 },
  { breaks: 0, cuts: 0, copies: 6, losses: 0 },
  { breaks: 0, cuts: 0, copies: 0, losses: 3 },
  { breaks: 2, cuts: 1, copies: 1, losses: 1 },
];

/** A copy of what the server had at a moment. */
interface Copy {
  readonly moment: number;
  readonly at: number;
  readonly restore: () => void;
}

/**
 * A few processes that share a cache over one server, as a seed says: at each step somebody does something,
 * something arrives, a connection breaks, or time passes. After each step every key is read in every process
 * in the ways that take no time. In the end all is let go: then every process must have heard of everything,
 * and nothing be left.
 */
export class FleetSchedule {
  readonly #random: Random;
  readonly #clock: VirtualClock;
  readonly #held: HeldBack;
  readonly #oracle: FleetOracle;
  readonly #network: FleetNetwork;
  readonly #fleet: ReadonlyMap<string, CacheHierarchy>;
  readonly #places: readonly FleetPlace[];
  /** Those that something is done with: where they are few, more happens to each. */
  readonly #busy: readonly FleetPlace[];
  readonly #actions: FleetActions;
  readonly #open = new Set<Promise<unknown>>();
  readonly #weather: (typeof WEATHERS)[number];
  readonly #copies: Copy[] = [];
  /** Until when there may be steps. */
  #endsAt = Infinity;

  /** @param tells whether to note what happens */
  constructor(seed: number, tells = false) {
    this.#random = randomFrom(seed);
    const random = this.#random;
    this.#weather = random.pick(WEATHERS);
    this.#clock = new VirtualClock(() => this.#settle());
    this.#held = new HeldBack(random);
    this.#oracle = new FleetOracle(this.#clock, MAX_STALE_MS, tells);
    this.#network = new FleetNetwork(this.#clock, random, (executed) =>
      this.#oracle.noteExecuted(executed),
    );
    const ttlMs = random.below(3) > 0 ? LONG_TTL_MS : TTL_MS;
    const names = random.below(4) === 0 ? ['A', 'B', 'C'] : ['A', 'B'];
    this.#fleet = new Map(names.map((name) => [name, this.#newProcess(name, ttlMs)]));
    this.#places = [...this.#fleet].flatMap(([process, cache]) => placesOf(process, cache));
    const path = random.below(2) === 0 ? undefined : random.pick(this.#places).path;
    this.#busy = this.#places.filter((place) => path === undefined || place.path === path);
    this.#actions = new FleetActions({
      random,
      ttlMs,
      held: this.#held,
      oracle: this.#oracle,
      track: (settling) => this.#track(settling),
    });
  }

  /** What has happened, where that was noted. */
  get told(): readonly string[] {
    return this.#oracle.told ?? [];
  }

  /** Returns what was wrong first, or `undefined`. */
  async run(steps: number): Promise<string | undefined> {
    if (this.#random.below(4) > 0) await this.#startWell();
    for (let step = 0; step < steps && this.#clock.now() < this.#endsAt; step++) {
      await this.#act();
      await settleMicrotasks();
      this.#readEverything();
      if (this.#oracle.violation !== undefined) break;
    }
    await this.#finish();
    return this.#oracle.violation;
  }

  /** Each process counts its time from another moment, as machines do. */
  #newProcess(name: string, ttlMs: number): CacheHierarchy {
    const clock = new SkewedClock(this.#clock, this.#random.below(2 * FARTHEST_MS) - FARTHEST_MS);
    const remote = new RedisLevel(
      {
        driver: new RedisDriver(this.#network.connectOf(name), clock),
        codec: {
          encode: (value) => bytesOfId((value as FleetValue).id),
          decode: (bytes) => this.#oracle.valueOf(idOfBytes(bytes)),
        },
        clock,
        prefix: 'fleet',
        source: name,
        maxStaleMs: MAX_STALE_MS,
        leaseMs: LEASE_MS,
      },
      'default',
    );
    const memory = { maxEntries: 3, ttl: LONG_TTL_MS, seed: 1, virtualNodes: 1 };
    return new CacheHierarchy(
      {
        clock,
        remote,
        joinTimeout: JOIN_TIMEOUT_MS,
        lockTimeout: 1_000,
        levelTimeout: LEVEL_TIMEOUT_MS,
        ttl: ttlMs,
        report: () => {},
        l1: memory,
        l2: this.#random.below(2) === 0 && { ...memory, seed: 2 },
      },
      { handOver: (grant) => this.#held.add(grant) },
    );
  }

  /** Connects all of them, and lets the first counts come. */
  async #startWell(): Promise<void> {
    for (let move = 0; move < 20; move++) {
      this.#network.deliverAll();
      await settleMicrotasks();
    }
  }

  async #act(): Promise<void> {
    const place = this.#random.pick(this.#busy);
    const [actions, network] = [this.#actions, this.#network];
    const { process } = place;
    const isRare = this.#random.below(3) === 0;
    const { breaks, cuts, copies, losses } = this.#weather;
    const weighted: [weight: number, action: () => unknown][] = [
      [6, () => actions.load(place)],
      [1, () => actions.loadMany(place)],
      [4, () => actions.get(place)],
      [3, () => actions.set(place)],
      [1, () => actions.update(place)],
      [2, () => actions.delete(place)],
      [2, () => actions.expire(place)],
      [2, () => actions.invalidateTag(place)],
      [isRare ? 1 : 0, () => actions.clear(place, true)],
      [isRare && place.name !== '' ? 3 : 0, () => actions.clear(place, false)],
      [5, () => this.#held.letGo()],
      [30, () => network.deliver()],
      [8, () => network.deliverAll()],
      [1, () => network.deliverLeftover()],
      [breaks, () => network.breakOne()],
      [cuts, () => this.#cutOrJoin(process)],
      [copies, () => this.#copy()],
      [copies > 0 ? 2 : 0, () => this.#restart()],
      [losses, () => this.#lose()],
      [8, () => this.#pass(this.#random.below(120))],
      [1 + cuts, () => this.#pass(this.#random.below(1_500))],
    ];
    await this.#random.weighted(weighted)();
  }

  #pass(ms: number): Promise<void> {
    this.#oracle.tell(() => `${ms} ms pass`);
    return this.#clock.advance(ms);
  }

  #cutOrJoin(process: string): void {
    const isCutOff = this.#network.isCutOff(process);
    this.#oracle.tell(() => `${process} is ${isCutOff ? 'there again' : 'cut off'}`);
    if (isCutOff) this.#network.join(process);
    else this.#network.cutOff(process);
  }

  #copy(): void {
    this.#copies.push({ ...this.#oracle.now(), restore: this.#network.double.copy() });
  }

  /** The server begins with nothing, or a replica that has followed it up to a moment takes its place. */
  #restart(): void {
    const { double } = this.#network;
    const since = this.#clock.now() - MAX_REWIND_MS;
    const recent = this.#copies.filter(({ at }) => at >= since);
    if (recent.length === 0 || this.#random.below(5) === 0) {
      this.#oracle.noteLost('everything');
      this.#copies.length = 0;
      this.#network.restart(() => {
        for (const name of double.names()) double.remove(name);
      });
      return;
    }
    const { moment, restore } = this.#random.pick(recent);
    this.#oracle.noteRewound(moment);
    this.#copies.splice(0, Infinity, ...this.#copies.filter((copy) => copy.moment <= moment));
    this.#network.restart(restore);
    this.#endsAt = Math.min(this.#endsAt, this.#clock.now() + AFTER_REWIND_MS);
  }

  /** The server loses one of the names that it has. */
  #lose(): void {
    const { double } = this.#network;
    const names = double.names();
    if (names.length === 0) return;
    const name = this.#random.pick(names);
    double.remove(name);
    this.#oracle.noteLost(name);
  }

  #readEverything(): void {
    for (const { process, view, key, path } of this.#busy) {
      const asked = this.#oracle.now();
      const check = (how: 'peek' | 'getIfPresent', value: FleetValue | undefined): void =>
        this.#oracle.check(process, path, { value, asked, how });
      check('peek', view.peek<FleetValue>(key));
      check('getIfPresent', view.getIfPresent<FleetValue>(key));
    }
  }

  #track(settling: Promise<unknown>): void {
    const settled = settling.finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  async #settle(): Promise<void> {
    await settleMicrotasks();
    while (this.#held.isOver && this.#network.deliverAll()) await settleMicrotasks();
  }

  async #finish(): Promise<void> {
    const oracle = this.#oracle;
    oracle.tell(() => 'all is let go');
    for (const process of this.#fleet.keys()) this.#network.join(process);
    this.#held.isOver = true;
    while (this.#network.deliverLeftover());
    while (this.#held.size > 0) {
      this.#held.letGo();
      await this.#settle();
    }
    const calmUntil = this.#clock.now() + LONGEST_CALM_MS;
    // What was missed before is noticed meanwhile.
    await this.#clock.advance(MAX_STALE_MS);
    do await this.#clock.advance(500);
    while (this.#unrest() !== '' && this.#clock.now() < calmUntil);
    if (this.#unrest() !== '') oracle.violate(`at the end ${this.#unrest()}`);
    oracle.isCalm = true;
    for (const place of this.#places) this.#actions.get(place);
    this.#readEverything();
    await this.#clock.advance(2 * LEASE_MS);
    if (this.#unrest() !== '') oracle.violate(`after the reads ${this.#unrest()}`);
    const leases = this.#network.double.names().filter((name) => name.includes(':l:'));
    if (leases.length > 0) oracle.violate(`at the end there is ${leases.join()}`);
    const closed = Promise.all([...this.#fleet.values()].map((cache) => cache.close()));
    await this.#clock.advance(LEVEL_TIMEOUT_MS);
    await closed;
    if (this.#clock.pending > 0)
      oracle.violate(`at the end ${this.#clock.pending} timers are left`);
  }

  /** What is not over yet. */
  #unrest(): string {
    const figures = new Map([['callers wait', this.#open.size]]);
    for (const [process, cache] of this.#fleet) {
      const { inFlight, locks, lower, waitingLoads, coherence } = cache.getMetrics();
      figures.set(`tickets are open in ${process}`, inFlight);
      figures.set(`keys are locked in ${process}`, locks.heldKeys);
      figures.set(`loaders wait in ${process}`, waitingLoads);
      figures.set(`changes of ${process} are on their way`, lower.remote!.inFlight);
      figures.set(`changes of ${process} are not confirmed`, lower.remote!.unconfirmed);
      figures.set(`proofs are missing in ${process}`, coherence!.proven ? 0 : 1);
    }
    return [...figures]
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ');
  }
}

/** The keys under test in a process, in the root and in a namespace. */
function placesOf(process: string, cache: CacheHierarchy): FleetPlace[] {
  const places: FleetPlace[] = [];
  for (const view of [cache, cache.namespace('users')]) {
    const name = view === cache ? '' : 'users/';
    for (const key of KEYS) places.push({ process, cache, view, name, key, path: name + key });
  }
  return places;
}
