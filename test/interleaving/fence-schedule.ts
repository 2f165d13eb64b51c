import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import { defer, type Deferred } from '../support/deferred.js';
import { randomFrom, type Random } from '../support/random.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** A value that knows where it comes from. */
interface Traced {
  readonly id: string;
  readonly source: 'load' | 'set' | 'update';
  readonly tags: readonly string[];
  /** The step at which its load, set or update was called. */
  readonly calledAt: number;
  /** Whether it may be a stale answer after it has expired. */
  readonly hasGrace: boolean;
}

interface Held {
  readonly settle: Deferred<void>;
  readonly fails: boolean;
}

const KEYS = ['a', 'b'];
const TAGS = ['red', 'blue'];
const JOIN_TIMEOUT_MS = 100;
const TTL_MS = 150;
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
  readonly #clock = new VirtualClock(settleMicrotasks);
  readonly #cache = new CacheHierarchy({
    clock: this.#clock,
    joinTimeout: JOIN_TIMEOUT_MS,
    lockTimeout: 1_000,
    l1: { maxEntries: 3, ttl: 50, seed: 1, virtualNodes: 1 },
    l2: { maxEntries: 100, ttl: 10_000, seed: 2, virtualNodes: 1 },
  });
  /** The keys under test live in the root and in a namespace. */
  readonly #views: readonly { readonly name: string; readonly view: CacheView }[] = [
    { name: '', view: this.#cache },
    { name: 'users/', view: this.#cache.namespace('users') },
  ];
  readonly #held: Held[] = [];
  readonly #open = new Set<Promise<unknown>>();
  /** For each key the step at which it was last expired. */
  readonly #expiredAt = new Map<string, number>();
  /** For each key, tag or namespace the step of the last invalidation that took effect. */
  readonly #invalidatedAt = new Map<string, number>();
  /** For each key the step at which a set or update was last stored: loads called before are over. */
  readonly #storedAt = new Map<string, number>();
  /** For each key the latest call among the loads that were seen stored. */
  readonly #latestLoad = new Map<string, number>();
  #step = 0;
  #violation: string | undefined;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
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
    const actions: [weight: number, action: () => unknown][] = [
      [6, () => this.#load(view, key, path)],
      [3, () => this.#set(view, key, path)],
      [3, () => this.#update(view, key, path)],
      [8, () => this.#letGo()],
      [2, () => this.#delete(view, key, path)],
      [2, () => this.#expire(view, key, path)],
      [2, () => this.#invalidateTag()],
      [1, () => this.#clear()],
      [1, () => this.#clearNamespace()],
      [2, () => this.#clock.advance(this.#random.below(JOIN_TIMEOUT_MS + 20))],
    ];
    await this.#random.weighted(actions)();
  }

  #load(view: CacheView, key: string, path: string): void {
    const askedAt = this.#step;
    const tags = this.#someTags();
    const tagsComeLate = this.#random.below(3) === 0;
    const policy = this.#somePolicy();
    const answer = view.getOrSet<Traced>(
      key,
      async (context) => {
        const value = this.#trace('load', tags, policy.grace !== false);
        this.#check(path, context.stale as Traced | undefined, this.#step, SHOWN);
        if (!tagsComeLate) context.tags(tags);
        await this.#hold();
        context.tags(tags);
        return value;
      },
      tagsComeLate ? policy : { ...policy, tags },
    );
    this.#track(answer.then((value) => this.#check(path, value, askedAt, 'getOrSet')));
  }

  /** Each part of the stale policy is on now and then. */
  #somePolicy(): LoadOptions {
    const sometimes = <T>(value: T): T | false => (this.#random.below(3) === 0 ? value : false);
    return {
      ttl: TTL_MS,
      grace: sometimes(GRACE_MS),
      softTimeout: sometimes(20),
      hardTimeout: sometimes(60),
      throttle: sometimes(40),
      eager: sometimes(0.3),
      forceRefresh: this.#random.below(8) === 0,
    };
  }

  #set(view: CacheView, key: string, path: string): void {
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
    const updating = view.update<Traced>(
      key,
      async () => {
        await this.#hold();
        return value;
      },
      { tags: value.tags },
    );
    this.#track(updating.then(() => this.#noteStored(view, key, path, value)));
  }

  #delete(view: CacheView, key: string, path: string): void {
    this.#track(view.delete(key));
    this.#invalidatedAt.set(path, this.#step);
  }

  #expire(view: CacheView, key: string, path: string): void {
    this.#track(view.expire(key));
    this.#expiredAt.set(path, this.#step);
  }

  #invalidateTag(): void {
    const tag = this.#random.pick(TAGS);
    this.#track(this.#cache.invalidateTags(tag));
    this.#invalidatedAt.set(`#${tag}`, this.#step);
  }

  #clear(): void {
    this.#track(this.#cache.clear());
    this.#invalidatedAt.set('*', this.#step);
  }

  #clearNamespace(): void {
    this.#track(this.#views[1]!.view.clear());
    this.#invalidatedAt.set('users/*', this.#step);
  }

  #letGo(): void {
    const index = this.#random.below(this.#held.length);
    const [held] = this.#held.splice(index, 1);
    if (held?.fails === true) held.settle.reject(new Error('the loader failed'));
    else held?.settle.resolve();
  }

  #hold(): Promise<void> {
    const held = { settle: defer(), fails: this.#random.below(6) === 0 };
    this.#held.push(held);
    return held.settle.promise;
  }

  #trace(source: Traced['source'], tags: readonly string[], hasGrace = false): Traced {
    const calledAt = this.#step;
    return { id: `${source} of step ${calledAt}`, source, tags, calledAt, hasGrace };
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
    if (how === 'getOrSet' || how === SHOWN) return;
    if (value.source !== 'load') return;
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

  /** Everything held is let go: then every caller must have been answered and nothing be left. */
  async #finish(): Promise<void> {
    while (this.#held.length > 0) {
      this.#letGo();
      await settleMicrotasks();
    }
    await this.#clock.advance(10 * JOIN_TIMEOUT_MS);
    const { inFlight, locks } = this.#cache.getMetrics();
    if (this.#open.size + inFlight + locks.heldKeys > 0) {
      this.#violation ??=
        `at the end: ${this.#open.size} callers wait, ${inFlight} tickets are open, ` +
        `${locks.heldKeys} keys are locked`;
    }
    await this.#cache.close();
    if (this.#clock.pending > 0) this.#violation ??= `at the end: ${this.#clock.pending} timers`;
  }
}
