import type { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import type { Random } from '../support/random.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { FenceOracle, How } from './fence-oracle.js';
import type { Flight, FlightWatch } from './flight-watch.js';
import type { HeldBack } from './held-back.js';
import { trace, type Birth, type Moment, type Traced } from './traced.js';

/** What the actions of a schedule work on, and who watches them. */
export interface FenceActionsOptions {
  readonly cache: CacheHierarchy;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly moment: Moment;
  readonly held: HeldBack;
  readonly oracle: FenceOracle;
  readonly flights: FlightWatch;
  readonly ttlMs: number;
  /** Whether no level takes time. */
  readonly isSync: boolean;
  /** Waits with the schedule for what a call settles with. */
  track(settling: Promise<unknown>): void;
}

/** A key where it is asked for. */
export interface Place {
  readonly view: CacheView;
  /** What is before the key in `path`. */
  readonly name: string;
  readonly key: string;
  readonly path: string;
}

export const KEYS = ['a', 'b'];
const TAGS = ['red', 'blue'];
const LOADERS = ['value', 'value', 'value', 'value', 'skip', 'undefined', 'notModified'] as const;
/** Few, so that calls meet that leave out the same. */
const SKIPS: NonNullable<LoadOptions['skip']>[] = [
  { read: ['L1'] },
  { write: ['L1', 'L2'] },
  { read: ['L2', 'remote'], write: ['remote'] },
];
export const GRACE_MS = 300;
const LEFT = 'the caller left';
const MAY_FAIL = new RegExp(
  `the loader failed|No load of key|hardTimeout|waitTimeout|was not free|${LEFT}`,
);

/** What callers do to a cache, at random. Each tells the oracle what took effect in the call or after it. */
export class FenceActions {
  readonly #options: FenceActionsOptions;
  readonly #random: Random;

  constructor(options: FenceActionsOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  load({ view, key, path }: Place): void {
    const { moment, oracle, flights } = this.#options;
    const askedAt = moment.step;
    const policy = this.#somePolicy();
    const { signal, abortsAt } = this.#someSignal();
    const tags = this.#someTags();
    const tagsComeLate = this.#random.below(3) === 0;
    if (policy.skip?.write?.length) oracle.noteSkipped(path);
    const flight = flights.ask(path, policy, abortsAt);
    const answer = view.getOrSet<Traced>(
      key,
      (context) => this.#runLoader(flight, { context, tags, tagsComeLate }) as Promise<Traced>,
      { ...policy, ...(signal && { signal }), ...(tagsComeLate ? {} : { tags }) },
    );
    this.#watch(answer, path, 'getOrSet', askedAt, flight);
  }

  /** Both keys at once: one loader for what no level has and nobody is loading. */
  loadMany({ view, name }: Place): void {
    const { moment, held, oracle, flights, ttlMs, isSync } = this.#options;
    const askedAt = moment.step;
    const asked = new Map(KEYS.map((key) => [key, flights.ask(name + key, {})]));
    // When a single key has its answer cannot be seen.
    for (const flight of asked.values()) flights.answer(flight, false);
    const answers = view.getOrSetMany<Traced>(
      KEYS,
      async (missing) => {
        const loading = missing.map((key) => asked.get(key)!);
        for (const flight of loading) flights.begin(flight);
        const values = missing.map((key) => [key, trace(moment, 'load', { askedAt })] as const);
        await held.work().finally(() => {
          for (const flight of loading) flights.end(flight);
        });
        for (const [, value] of values) {
          if (isSync) oracle.noteStorable(value);
          value.broughtAt = moment.clock.now();
        }
        return new Map(values);
      },
      { ttl: ttlMs },
    );
    const check = (found: Map<string, Traced>): void => {
      for (const [key, value] of found) oracle.check(name + key, value, askedAt, 'getOrSet');
    };
    this.#track(answers.then(check));
  }

  get({ view, key, path }: Place): void {
    this.#watch(view.get<Traced>(key), path, 'get', this.#options.moment.step);
  }

  set({ view, key, path }: Place): void {
    const { flights } = this.#options;
    flights.touch(path);
    const { value, options } = this.#someWrite('set');
    const noteStored = (): void => this.#noteWritten(value, { view, key, path });
    const noteEnd = (): void => flights.touch(path);
    this.#track(view.set(key, value, options).then(noteStored).finally(noteEnd));
    noteStored();
  }

  update({ view, key, path }: Place): void {
    const { moment, held, oracle, flights } = this.#options;
    const { value, options } = this.#someWrite('update');
    const askedAt = moment.step;
    const updating = view.update<Traced>(
      key,
      async (current) => {
        oracle.check(path, current, askedAt, 'an update');
        await held.work().finally(flights.beginUpdate(path));
        return value;
      },
      options,
    );
    const noteEnd = (): void => {
      flights.touch(path);
      this.#noteWritten(value, { view, key, path });
    };
    // One that ends unstored acts as a delete.
    const noteFailure = (error: unknown): never => {
      flights.touch(path);
      oracle.noteUnstored(path, askedAt);
      throw error;
    };
    this.#track(updating.then(noteEnd, noteFailure));
  }

  delete({ view, key, path }: Place): void {
    const { oracle, flights } = this.#options;
    flights.touch(path);
    this.#track(view.delete(key, this.#someHold(path)));
    oracle.noteInvalidated(path);
  }

  expire({ view, key, path }: Place): void {
    const { oracle, flights } = this.#options;
    flights.touch(path);
    this.#track(view.expire(key, this.#someHold(path)));
    oracle.noteExpired(path);
  }

  invalidateTag(): void {
    const { cache, oracle, flights } = this.#options;
    const tag = this.#random.pick(TAGS);
    flights.touch();
    this.#track(cache.invalidateTags(tag, this.#someHold(`#${tag}`)));
    oracle.noteInvalidated(`#${tag}`);
  }

  /** Clears everything, or what a namespace has. */
  clear(view: CacheView, name: string): void {
    const { oracle, flights } = this.#options;
    flights.touch();
    this.#track(view.clear());
    oracle.noteInvalidated(`${name}*`);
  }

  /** What another process has loaded. */
  makeElsewhere(): { value: Traced; grace: number } {
    const hasGrace = this.#random.below(3) === 0;
    const birth = { tags: this.#someTags(), hasGrace };
    const value = trace(this.#options.moment, 'other process', birth);
    return { value, grace: hasGrace ? GRACE_MS : 0 };
  }

  /** A loader takes until it is let go, and may say in the end what is to become of what it brings. */
  async #runLoader(
    flight: Flight,
    {
      context,
      tags,
      tagsComeLate,
    }: { context: LoadContext; tags: string[]; tagsComeLate: boolean },
  ): Promise<Traced | undefined> {
    const { moment, held, oracle, flights, isSync } = this.#options;
    const { path, askedAt, options } = flight;
    flights.begin(flight);
    const value = trace(moment, 'load', { tags, askedAt, hasGrace: options.grace !== false });
    const stale = context.stale as Traced | undefined;
    oracle.check(path, stale, moment.step, 'a loader');
    if (!tagsComeLate) context.tags(tags);
    await held.work().finally(() => flights.end(flight));
    context.tags(tags);
    const end = this.#random.pick(LOADERS);
    if (end === 'undefined') return undefined;
    if (end === 'notModified' && stale !== undefined) {
      confirm(stale, value.births[0]!);
      return context.notModified();
    }
    if (end === 'skip') {
      context.skip();
      value.unstorable = 'which its loader has skipped';
    }
    if (isSync) oracle.noteStorable(value);
    value.broughtAt = moment.clock.now();
    return value;
  }

  /** Each part of the stale policy is on now and then. */
  #somePolicy(): LoadOptions {
    const sometimes = <T>(value: T): T | false => (this.#random.below(3) === 0 ? value : false);
    return {
      ttl: this.#options.ttlMs,
      grace: this.#random.below(2) === 0 && GRACE_MS,
      softTimeout: sometimes(20),
      hardTimeout: sometimes(60),
      throttle: sometimes(40),
      eager: this.#random.below(2) === 0 && 0.3,
      forceRefresh: this.#random.below(8) === 0,
      ...(this.#random.below(8) === 0 ? { skip: this.#random.pick(SKIPS) } : {}),
      ...(this.#random.below(8) === 0 ? { waitTimeout: 1 + this.#random.below(60) } : {}),
    };
  }

  /** A caller who may leave after so many milliseconds. */
  #someSignal(): { signal?: AbortSignal; abortsAt?: number } {
    if (this.#random.below(8) > 0) return {};
    const afterMs = this.#random.below(60);
    const { clock } = this.#options;
    const caller = new AbortController();
    clock.setTimer(() => caller.abort(new Error(LEFT)), afterMs);
    return { signal: caller.signal, abortsAt: clock.now() + afterMs };
  }

  #someWrite(source: 'set' | 'update'): {
    value: Traced;
    options: { tags: string[]; grace: number | false };
  } {
    const tags = this.#someTags();
    const hasGrace = this.#random.below(2) === 0;
    const value = trace(this.#options.moment, source, { tags, hasGrace });
    return { value, options: { tags, grace: hasGrace ? GRACE_MS : false } };
  }

  #someHold(name: string): { hold?: number } {
    if (this.#random.below(4) > 0) return {};
    const hold = 1 + this.#random.below(60);
    this.#options.flights.noteHold(this.#options.oracle.noteHeld(name, hold));
    return { hold };
  }

  #someTags(): string[] {
    return TAGS.filter(() => this.#random.below(3) === 0);
  }

  /** A set or update is stored when it can be read, and then every load called before is over. */
  #noteWritten(value: Traced, { view, key, path }: Omit<Place, 'name'>): void {
    if (view.peek(key) === value) this.#options.oracle.noteWritten(path);
  }

  #watch(
    answer: Promise<Traced | undefined>,
    path: string,
    how: How,
    askedAt: number,
    flight?: Flight,
  ): void {
    const { oracle, flights } = this.#options;
    const note = (error?: Error): void => {
      const hasLeft = error !== undefined && /waitTimeout|the caller left/.test(error.message);
      if (flight !== undefined) flights.answer(flight, hasLeft);
    };
    const seen = answer.then(
      (value) => {
        note();
        oracle.check(path, value, askedAt, how);
      },
      (error: Error) => {
        note(error);
        throw error;
      },
    );
    this.#track(seen);
  }

  #track(settling: Promise<unknown>): void {
    const { oracle } = this.#options;
    this.#options.track(
      settling.catch((error: Error) => {
        if (!MAY_FAIL.test(error.message)) oracle.violate(`unexpected ${error.message}`);
      }),
    );
  }
}

/** A loader has found a value unchanged: it keeps its tags, and lives from that load on. */
function confirm({ births }: Traced, { tags, hasGrace, ...load }: Birth): void {
  const before = births.at(-1)!;
  births.push({
    ...load,
    tags: [...new Set([...before.tags, ...tags])],
    hasGrace: hasGrace || before.hasGrace,
  });
}
