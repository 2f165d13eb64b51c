import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import { LEVEL_NAMES, type LevelName } from '../../lib/levels/cache-level.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { FaultyLevel, HeldLevel } from '../support/held-level.js';
import { randomFrom, type Random } from '../support/random.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** A value that knows where it comes from. */
interface Traced {
  readonly id: string;
  readonly source: 'load' | 'set' | 'update';
  readonly tags: readonly string[];
  /** The step at which its load, set or update was called. */
  readonly calledAt: number;
  /** The clock time of that. */
  readonly at: number;
  /** Whether it may be a stale answer after it has expired. */
  readonly hasGrace: boolean;
}

/** Something that is held back: a loader, the grant of a lock, a call of a level or its answer. */
type Held = () => void;

/** Which levels a schedule has. */
export type Levels =
  | 'L1 and L2 in memory'
  | 'L1 in memory, L2 in this process'
  | 'L1 in memory, remote'
  | 'L1 and L2 in memory, remote'
  | 'L1 in memory, L2 outside, remote';

const KEYS = ['a', 'b'];
const TAGS = ['red', 'blue'];
const JOIN_TIMEOUT_MS = 100;
const LEVEL_TIMEOUT_MS = 70;
/** Longer than any time between two attempts to repeat what a level did not confirm. */
const LONGEST_RETRIES_MS = 100_000;
const TTL_MS = 150;
const LONG_TTL_MS = 1_000_000;
const GRACE_MS = 300;
/** How a loader gets the value that it is to replace. */
const SHOWN = 'the context of the loader';

/**
 * One schedule: at each step either a caller does something or something held back is let go, as
 * the seed says. After each step every key is read in every way and each answer is held against the
 * instants at which invalidations took effect.
 */
export class FenceSchedule {
  readonly #random: Random;
  readonly #levels: Levels;
  /** A long one has levels below be read when what is in memory has expired. */
  readonly #ttlMs: number;
  readonly #clock = new VirtualClock(settleMicrotasks);
  readonly #cache: CacheHierarchy;
  /** The keys under test live in the root and in a namespace. */
  readonly #views: readonly { readonly name: string; readonly view: CacheView }[];
  readonly #held: Held[] = [];
  /** Whether nothing is held back and no level fails any more. */
  #isEnding = false;
  /** The keys of which a load was not written to every level, on purpose. */
  readonly #skipped = new Set<string>();
  readonly #open = new Set<Promise<unknown>>();
  /** For each key the step at which it was last expired. */
  readonly #expiredAt = new Map<string, number>();
  /** For each key, tag or namespace the step of the last invalidation that took effect. */
  readonly #invalidatedAt = new Map<string, number>();
  /** For each key the step at which a set or update was last stored: loads called before are over. */
  readonly #storedAt = new Map<string, number>();
  /** For each key the latest call among the loads that were seen stored. */
  readonly #latestLoad = new Map<string, number>();
  /** For each key and tag the clock time until which what is loaded is not to be stored. */
  readonly #heldUntil = new Map<string, number>();
  /** The loaders of plain calls that run, by key. */
  readonly #running = new Map<string, Set<{ step: number; calledAt: number }>>();
  /** For each key the last step at which something was done to it but read and load. */
  readonly #touchedAt = new Map<string, number>();
  /** For each key the update that failed last, and the step at which it did. */
  readonly #unstoredAt = new Map<string, { calledAt: number; at: number }>();
  #step = 0;
  #violation: string | undefined;

  constructor(seed: number, levels: Levels) {
    this.#random = randomFrom(seed);
    this.#levels = levels;
    this.#ttlMs = levels.includes('remote') && this.#random.below(3) > 0 ? LONG_TTL_MS : TTL_MS;
    const options = {
      clock: this.#clock,
      joinTimeout: JOIN_TIMEOUT_MS,
      lockTimeout: 1_000,
      levelTimeout: LEVEL_TIMEOUT_MS,
      maxConcurrentLoads: this.#random.below(2) === 0 ? 2 : Infinity,
      ttl: this.#ttlMs,
      report: () => {},
      l1: { maxEntries: 3, ttl: 50, seed: 1, virtualNodes: 1 },
      ...this.#lowerLevels(),
    };
    const handOver = (grant: () => void): void => {
      if (this.#isEnding) grant();
      else this.#held.push(grant);
    };
    this.#cache = new CacheHierarchy(options, { handOver });
    this.#views = [
      { name: '', view: this.#cache },
      { name: 'users/', view: this.#cache.namespace('users') },
    ];
  }

  #lowerLevels(): Pick<CacheHierarchyOptions, 'l2' | 'remote'> {
    const memory = { maxEntries: 100, ttl: 100, seed: 2, virtualNodes: 1 };
    const outside = (name: string): HeldLevel =>
      new HeldLevel(name, this.#clock, (_, apply) => this.#carry(apply));
    if (this.#levels === 'L1 and L2 in memory') return { l2: memory };
    if (this.#levels === 'L1 in memory, L2 in this process')
      return { l2: new FaultyLevel(this.#clock, () => this.#mayFail()) };
    if (this.#levels === 'L1 in memory, remote') return { l2: false, remote: outside('remote') };
    if (this.#levels === 'L1 and L2 in memory, remote')
      return { l2: memory, remote: outside('remote') };
    return { l2: outside('L2'), remote: outside('remote') };
  }

  /** Holds a call of a level back twice, before it happens and before it answers; it may fail at both. */
  #carry<A>(apply: () => A): Promise<A> {
    if (this.#isEnding) return Promise.resolve(apply());
    return new Promise((resolve, reject) => {
      this.#held.push(() => {
        if (this.#mayFail()) {
          reject(new Error('the level failed'));
          return;
        }
        const answer = apply();
        const answers = this.#mayFail()
          ? () => reject(new Error('the level failed afterwards'))
          : () => resolve(answer);
        this.#held.push(answers);
      });
    });
  }

  #mayFail(): boolean {
    return !this.#isEnding && this.#random.below(8) === 0;
  }

  /** Returns what was wrong first, or `undefined`. */
  async run(steps: number): Promise<string | undefined> {
    for (this.#step = 1; this.#step <= steps && this.#violation === undefined; this.#step++) {
      await this.#act();
      await settleMicrotasks();
      this.#readEverything();
    }
    await this.#finish();
    return this.#violation;
  }

  async #act(): Promise<void> {
    const { view, name } = this.#random.pick(this.#views);
    const key = this.#random.pick(KEYS);
    const path = name + key;
    // Where levels take time more has to be let go, and less be invalidated, for them to be found full.
    const isFast = this.#isSync;
    const actions: [weight: number, action: () => unknown][] = [
      [6, () => this.#load(view, key, path)],
      [1, () => this.#loadMany(view, name)],
      [isFast ? 0 : 4, () => this.#get(view, key, path)],
      [3, () => this.#set(view, key, path)],
      [isFast ? 3 : 2, () => this.#update(view, key, path)],
      [isFast ? 8 : 26, () => this.#letGo()],
      [isFast ? 2 : 1, () => this.#delete(view, key, path)],
      [isFast ? 2 : 1, () => this.#expire(view, key, path)],
      [isFast ? 2 : 1, () => this.#invalidateTag()],
      [isFast || this.#random.below(3) === 0 ? 1 : 0, () => this.#clear()],
      [isFast || this.#random.below(3) === 0 ? 1 : 0, () => this.#clearNamespace()],
      [isFast ? 2 : 3, () => this.#clock.advance(this.#random.below(JOIN_TIMEOUT_MS + 20))],
    ];
    await this.#random.weighted(actions)();
  }

  #load(view: CacheView, key: string, path: string): void {
    const askedAt = this.#step;
    const tags = this.#someTags();
    const tagsComeLate = this.#random.below(3) === 0;
    const policy = this.#somePolicy();
    if (policy.skip?.write?.length) this.#skipped.add(path);
    const isPlain = this.#isPlain(policy);
    const begins = isPlain ? this.#plainLoad(path) : () => () => {};
    // Others can take the place of the load under way, and leave it empty.
    if (!isPlain) this.#touch(path);
    const answer = view.getOrSet<Traced>(
      key,
      async (context) => {
        const ends = begins();
        const value = this.#trace('load', tags, policy.grace !== false);
        this.#check(path, context.stale as Traced | undefined, this.#step, SHOWN);
        if (!tagsComeLate) context.tags(tags);
        await this.#hold().finally(() => this.#endLoader(ends, path));
        context.tags(tags);
        return value;
      },
      tagsComeLate ? policy : { ...policy, tags },
    );
    this.#track(answer.then((value) => this.#check(path, value, askedAt, 'getOrSet')));
  }

  #isPlain({ forceRefresh, skip, hardTimeout, softTimeout, eager }: LoadOptions): boolean {
    const isInTime = hardTimeout === false && softTimeout === false && eager === false;
    return forceRefresh !== true && skip === undefined && isInTime;
  }

  /**
   * Notes when the loader of a plain call begins and ends: while one runs, and its key is not touched and
   * nobody can have lost patience, no other may begin.
   */
  #plainLoad(path: string): () => () => void {
    const load = { step: this.#step, calledAt: this.#clock.now() };
    return () => {
      const running = this.#running.get(path) ?? new Set<typeof load>();
      this.#running.set(path, running);
      const touchedAt = this.#touchedAt.get(path) ?? 0;
      for (const other of running) {
        const isPatient =
          this.#clock.now() - Math.min(other.calledAt, load.calledAt) < JOIN_TIMEOUT_MS;
        // Who asks when a hold has passed does not join what began before that.
        const isHeld = [path, ...TAGS.map((tag) => `#${tag}`)].some(
          (name) => (this.#heldUntil.get(name) ?? 0) > other.calledAt,
        );
        if (isPatient && !isHeld && touchedAt < Math.min(other.step, load.step))
          this.#violation ??= `step ${this.#step}: a second load of ${path} beside that of step ${other.step}`;
      }
      running.add(load);
      return () => void running.delete(load);
    };
  }

  /** What it brings ends the loads that were called before. */
  #endLoader(ends: () => void, path: string): void {
    ends();
    this.#touch(path);
  }

  /** Notes that what is loaded for a key, or for every key, need not be waited for any more. */
  #touch(...paths: string[]): void {
    const all = this.#views.flatMap(({ name }) => KEYS.map((key) => name + key));
    for (const path of paths.length === 0 ? all : paths) this.#touchedAt.set(path, this.#step);
  }

  /** Both keys at once: one loader for what no level has and nobody is loading. */
  #loadMany(view: CacheView, name: string): void {
    const askedAt = this.#step;
    const answers = view.getOrSetMany<Traced>(
      KEYS,
      async (missing) => {
        const value = this.#trace('load', []);
        await this.#hold().finally(() => this.#touch());
        return new Map(missing.map((key) => [key, value]));
      },
      { ttl: this.#ttlMs },
    );
    const check = (found: Map<string, Traced>): void => {
      for (const [key, value] of found) this.#check(name + key, value, askedAt, 'getOrSet');
    };
    this.#track(answers.then(check));
  }

  #get(view: CacheView, key: string, path: string): void {
    const askedAt = this.#step;
    const answer = view.get<Traced>(key);
    this.#track(answer.then((value) => this.#check(path, value, askedAt, 'get')));
  }

  /** Each part of the stale policy is on now and then. */
  #somePolicy(): LoadOptions {
    const sometimes = <T>(value: T): T | false => (this.#random.below(3) === 0 ? value : false);
    return {
      ttl: this.#ttlMs,
      grace: sometimes(GRACE_MS),
      softTimeout: sometimes(20),
      hardTimeout: sometimes(60),
      throttle: sometimes(40),
      eager: sometimes(0.3),
      forceRefresh: this.#random.below(8) === 0,
      ...(this.#random.below(10) === 0 ? { skip: this.#someSkip() } : {}),
    };
  }

  #someSkip(): NonNullable<LoadOptions['skip']> {
    const some = (): LevelName[] => LEVEL_NAMES.filter(() => this.#random.below(3) === 0);
    return { read: some(), write: some() };
  }

  #set(view: CacheView, key: string, path: string): void {
    this.#touch(path);
    const value = this.#trace('set', this.#someTags());
    this.#track(
      view
        .set(key, value, { tags: value.tags })
        .then(() => this.#noteStored(view, key, path, value)),
    );
    this.#noteStored(view, key, path, value);
  }

  #update(view: CacheView, key: string, path: string): void {
    const value = this.#trace('update', this.#someTags());
    const askedAt = this.#step;
    const updating = view.update<Traced>(
      key,
      async (current) => {
        this.#check(path, current, askedAt, 'current value of an update');
        await this.#hold();
        return value;
      },
      { tags: value.tags },
    );
    const noteEnd = (): void => {
      this.#touch(path);
      this.#noteStored(view, key, path, value);
    };
    // One that ends unstored acts as a delete.
    const noteFailure = (error: unknown): never => {
      this.#touch(path);
      this.#unstoredAt.set(path, { calledAt: value.calledAt, at: this.#step });
      throw error;
    };
    this.#track(updating.then(noteEnd, noteFailure));
  }

  #delete(view: CacheView, key: string, path: string): void {
    this.#touch(path);
    const hold = this.#someHold(path);
    this.#track(view.delete(key, hold));
    this.#invalidatedAt.set(path, this.#step);
  }

  #someHold(name: string): { hold?: number } {
    if (this.#random.below(4) > 0) return {};
    const hold = 1 + this.#random.below(60);
    const until = Math.max(this.#heldUntil.get(name) ?? 0, this.#clock.now() + hold);
    this.#heldUntil.set(name, until);
    return { hold };
  }

  #expire(view: CacheView, key: string, path: string): void {
    this.#touch(path);
    this.#track(view.expire(key, this.#someHold(path)));
    this.#expiredAt.set(path, this.#step);
  }

  #invalidateTag(): void {
    const tag = this.#random.pick(TAGS);
    this.#touch();
    this.#track(this.#cache.invalidateTags(tag, this.#someHold(`#${tag}`)));
    this.#invalidatedAt.set(`#${tag}`, this.#step);
  }

  #clear(): void {
    this.#touch();
    this.#track(this.#cache.clear());
    this.#invalidatedAt.set('*', this.#step);
  }

  #clearNamespace(): void {
    this.#touch();
    this.#track(this.#views[1]!.view.clear());
    this.#invalidatedAt.set('users/*', this.#step);
  }

  #letGo(): void {
    const index = this.#random.below(this.#held.length);
    const [held] = this.#held.splice(index, 1);
    held?.();
  }

  #hold(): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    const fails = this.#random.below(6) === 0;
    return new Promise((resolve, reject) => {
      this.#held.push(fails ? () => reject(new Error('the loader failed')) : resolve);
    });
  }

  #trace(source: Traced['source'], tags: readonly string[], hasGrace = false): Traced {
    const calledAt = this.#step;
    const at = this.#clock.now();
    return { id: `${source} of step ${calledAt}`, source, tags, calledAt, at, hasGrace };
  }

  #someTags(): string[] {
    return TAGS.filter(() => this.#random.below(3) === 0);
  }

  /** A set or update is stored when it can be read, and then every load called before is over. */
  #noteStored(view: CacheView, key: string, path: string, value: Traced): void {
    if (view.peek(key) === value) this.#storedAt.set(path, this.#step);
  }

  #readEverything(): void {
    for (const { view, name } of this.#views) {
      for (const key of KEYS) {
        const path = name + key;
        this.#check(path, view.peek<Traced>(key), this.#step, 'peek');
        this.#check(path, view.getIfPresent<Traced>(key), this.#step, 'getIfPresent');
      }
    }
  }

  /** An answer to a question asked at a step must not be older than what took effect before it. */
  #check(path: string, value: Traced | undefined, askedAt: number, how: string): void {
    if (value === undefined) return;
    for (const [name, at] of this.#endsOf(path, value, how)) {
      if (value.calledAt < at && at < askedAt) {
        this.#violation ??= `step ${this.#step}: ${how} of ${path} gave the ${value.id}, ended by ${name} at ${at}`;
      }
    }
    if ((how !== 'peek' && how !== 'getIfPresent') || value.source !== 'load') return;
    for (const name of [path, ...value.tags.map((tag) => `#${tag}`)]) {
      const until = this.#heldUntil.get(name) ?? 0;
      if (value.at < until && !this.#storedBeforeHold(path, value, name))
        this.#violation ??= `step ${this.#step}: ${path} has the ${value.id}, which ${name} holds until ${until}`;
    }
    // A level may have failed, or have been left out, when the newer one was stored.
    if (!this.#isSync || this.#skipped.has(path)) return;
    const latest = this.#latestLoad.get(path) ?? 0;
    if (value.calledAt < latest) {
      this.#violation ??= `step ${this.#step}: ${path} went back from the load of ${latest} to the ${value.id}`;
    }
    this.#latestLoad.set(path, Math.max(latest, value.calledAt));
  }

  *#endsOf(path: string, value: Traced, how: string): Iterable<[string, number]> {
    yield ['delete', this.#invalidatedAt.get(path) ?? 0];
    const mayBeStale = value.hasGrace && (how === 'getOrSet' || how === SHOWN);
    if (!mayBeStale) yield ['expire', this.#expiredAt.get(path) ?? 0];
    const unstored = this.#unstoredAt.get(path);
    const isBefore = unstored !== undefined && value.calledAt < unstored.calledAt;
    if (isBefore || value.source === 'load') yield ['failed update', unstored?.at ?? 0];
    yield ['clear', this.#invalidatedAt.get('*') ?? 0];
    if (path.startsWith('users/')) {
      yield ['clear of the namespace', this.#invalidatedAt.get('users/*') ?? 0];
    }
    for (const tag of value.tags) {
      yield [`tag ${tag}`, this.#invalidatedAt.get(`#${tag}`) ?? 0];
    }
    if (value.source === 'load') yield ['set or update', this.#storedAt.get(path) ?? 0];
  }

  #track(promise: Promise<unknown>): void {
    const settled = promise
      .catch((error: Error) => {
        if (!/the loader failed|No load of key|hardTimeout|was not free/.test(error.message)) {
          this.#violation ??= `step ${this.#step}: unexpected ${error.message}`;
        }
      })
      .finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  /** What was there when a tag or key was held is gone by the invalidation itself. */
  #storedBeforeHold(path: string, { calledAt }: Traced, name: string): boolean {
    const at = Math.max(
      this.#invalidatedAt.get(name) ?? 0,
      name === path ? (this.#expiredAt.get(path) ?? 0) : 0,
    );
    return at === this.#step && calledAt < at;
  }

  get #isSync(): boolean {
    return !this.#levels.includes('remote');
  }

  /**
   * Everything held is let go, and the levels answer from now on: then every caller must have been
   * answered, every level have confirmed what it was told, and nothing be left.
   */
  async #finish(): Promise<void> {
    this.#isEnding = true;
    while (this.#held.length > 0) {
      this.#letGo();
      await settleMicrotasks();
    }
    await this.#clock.advance(LONGEST_RETRIES_MS);
    for (const { view, name } of this.#views) {
      for (const key of KEYS)
        this.#check(name + key, await view.get<Traced>(key), this.#step, 'get at the end');
    }
    await settleMicrotasks();
    const { inFlight, locks, below, waitingLoads } = this.#cache.getMetrics();
    const unconfirmed = Object.values(below).reduce((sum, level) => sum + level.unconfirmed, 0);
    if (this.#open.size + inFlight + locks.heldKeys + unconfirmed + waitingLoads > 0) {
      this.#violation ??=
        `at the end: ${this.#open.size} callers wait, ${inFlight} tickets are open, ` +
        `${locks.heldKeys} keys are locked, ${unconfirmed} changes are not confirmed, ` +
        `${waitingLoads} loaders wait`;
    }
    await this.#cache.close();
    if (this.#clock.pending > 0) this.#violation ??= `at the end: ${this.#clock.pending} timers`;
  }
}
