import { LoadTimeoutError, LockTimeoutError, CacheLevelError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { LoadOptions, StoreOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import { LEVEL_NAMES, type LevelName } from '../../lib/levels/cache-level.js';
import { Chaos } from '../support/chaos.js';
import { FaultyLevel, HeldLevel } from '../support/held-level.js';
import { randomFrom, type Random } from '../support/random.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** Which levels a program has. */
export type ChaosLevels =
  | 'L1 in memory, L2 in this process'
  | 'L1 and L2 in memory, remote'
  | 'L1 in memory, L2 outside, remote';

/** A value that knows what it was made for. */
interface Made {
  readonly path: string;
  readonly tags: readonly string[];
  /** The moment at which its loader, set or update was called. */
  readonly calledAt: number;
}

/** What a caller may be told, and when at the latest. */
interface Excuses {
  /** How long it may take, in milliseconds. */
  readonly withinMs: number;
  /** The loader of the key may throw, or its load be bounded. */
  readonly wild?: boolean;
  /** It waits for a lock. */
  readonly locks?: boolean;
  /** It asks for a confirmation. */
  readonly confirms?: boolean;
}

const LEVEL_TIMEOUT_MS = 100;
const LOCK_TIMEOUT_MS = 5 * LEVEL_TIMEOUT_MS;
const JOIN_TIMEOUT_MS = 30 * LEVEL_TIMEOUT_MS;
const LOADER_MS = 2 * LEVEL_TIMEOUT_MS;
/** How long each call takes at most, with two levels that do not answer. */
const READ_MS = 2 * LEVEL_TIMEOUT_MS;
/** However much of the key is on its way there before. */
const DELETE_MS = LEVEL_TIMEOUT_MS;
const WRITE_MS = 2 * LEVEL_TIMEOUT_MS;
const LOAD_MS = JOIN_TIMEOUT_MS;
const STORE_MS = LOCK_TIMEOUT_MS + READ_MS + LOADER_MS + WRITE_MS;
const LONGEST_LIFETIME_MS = 20_000;
/** Twice the longest time between two attempts to repeat what a level did not confirm. */
const RETRIES_MS = 60_000;
const MAX_STAMPS = 30;
const TAGS = ['red', 'blue', 'green'];
/** Whose loaders never throw, and whose loads have no bounds: nobody who asks for them may fail. */
const SOUND_KEYS = Array.from({ length: 12 }, (_, at) => `sound:${at}`);
const WILD_KEYS = Array.from({ length: 12 }, (_, at) => `wild:${at}`);

/**
 * Random operations on a cache whose levels fail in every way. Whatever they do, a read whose loader
 * succeeds must succeed, nobody may see what was invalidated or what a level made up, and nothing may be
 * left when it is over.
 */
export class ChaosProgram {
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #chaos: Chaos;
  readonly #cache: CacheHierarchy;
  readonly #views: readonly { readonly name: string; readonly view: CacheView }[];
  readonly #timersAtStart: number;
  readonly #open = new Set<Promise<unknown>>();
  /** For each path, tag or namespace the moment at which it was last invalidated. */
  readonly #invalidatedAt = new Map<string, number>();
  readonly #violations: string[] = [];
  /** What the program did and saw, to show that it did and saw enough. */
  readonly seen: Record<string, number> = {};
  /** How many calls there were. */
  #operation = 0;
  /** No two calls are made at the same. */
  #moments = 0;

  constructor(seed: number, levels: ChaosLevels) {
    this.#random = randomFrom(seed);
    this.#chaos = new Chaos(this.#random, this.#clock, LEVEL_TIMEOUT_MS);
    this.#cache = new CacheHierarchy({
      clock: this.#clock,
      levelTimeout: LEVEL_TIMEOUT_MS,
      lockTimeout: LOCK_TIMEOUT_MS,
      joinTimeout: JOIN_TIMEOUT_MS,
      maxConcurrentLoads: 50,
      maxStamps: MAX_STAMPS,
      ttl: 500,
      report: () => {},
      l1: { maxEntries: 10, ttl: 50, seed: 1, virtualNodes: 1 },
      ...this.#lowerLevels(levels),
    });
    this.#views = [
      { name: '', view: this.#cache },
      { name: 'users/', view: this.#cache.namespace('users') },
    ];
    this.#timersAtStart = this.#clock.pending;
  }

  #lowerLevels(levels: ChaosLevels): Pick<CacheHierarchyOptions, 'l2' | 'remote'> {
    const { carry, mayFail, garble } = this.#chaos;
    const outside = (name: string): HeldLevel => new HeldLevel(name, this.#clock, carry);
    const memory = { maxEntries: 30, ttl: 100, seed: 2, virtualNodes: 1 };
    if (levels === 'L1 in memory, L2 in this process')
      return { l2: new FaultyLevel(this.#clock, mayFail, garble) };
    if (levels === 'L1 and L2 in memory, remote') return { l2: memory, remote: outside('remote') };
    return { l2: outside('L2'), remote: outside('remote') };
  }

  /** What was wrong so far. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Makes so many calls, or a few more; stops at the first violation. */
  async run(operations: number): Promise<void> {
    const end = this.#operation + operations;
    while (this.#operation < end && this.#violations.length === 0) {
      this.#changeMood();
      this.#act();
      if (this.#random.below(3) === 0) await this.#clock.advance(this.#random.below(30));
      else await settleMicrotasks();
    }
  }

  /** Lets the levels work and everything come to its end; then nothing may be left. */
  async rest(): Promise<void> {
    this.#chaos.mood = 'healthy';
    await this.#clock.advance(LONGEST_LIFETIME_MS + RETRIES_MS);
    const { inFlight, locks, waitingLoads, lower, gets, hits, misses } = this.#cache.getMetrics();
    const figures = {
      'callers wait': this.#open.size,
      'operations are in flight': inFlight,
      'keys are locked': locks.heldKeys,
      'loaders wait': waitingLoads,
      'changes are on their way': Object.values(lower).reduce((sum, one) => sum + one.inFlight, 0),
      'changes are not confirmed': Object.values(lower).reduce(
        (sum, { unconfirmed }) => sum + unconfirmed,
        0,
      ),
      'timers are new': this.#clock.pending - this.#timersAtStart,
      'reads are not counted': gets - hits - misses,
    };
    for (const [what, count] of Object.entries(figures))
      if (count !== 0) this.#violate(`at rest: ${count} ${what}`);
    for (const { view, name } of this.#views) {
      for (const key of SOUND_KEYS) this.#get(view, key, name + key);
    }
    await this.#clock.advance(LEVEL_TIMEOUT_MS);
    this.#chaos.mood = 'wild';
  }

  async close(): Promise<void> {
    await this.#cache.close();
    if (this.#clock.pending > 0) this.#violate(`closed: ${this.#clock.pending} timers`);
  }

  /** Outages now and then, in which no level answers at all. */
  #changeMood(): void {
    if (this.#random.below(1_000) > 0) return;
    this.#chaos.mood = this.#random.pick(['wild', 'wild', 'dead', 'healthy']);
  }

  #act(): void {
    const { view, name } = this.#random.pick(this.#views);
    const keys = this.#random.below(2) === 0 ? SOUND_KEYS : WILD_KEYS;
    const key = this.#random.below(4) === 0 ? keys[0]! : this.#random.pick(keys);
    const path = name + key;
    const actions: [weight: number, action: () => void][] = [
      [30, () => this.#load(view, key, path)],
      [8, () => this.#loadMany(view, keys, name)],
      [10, () => this.#get(view, key, path)],
      [4, () => this.#getMany(view, keys, name)],
      [10, () => this.#set(view, key, path)],
      [3, () => this.#setMany(view, keys, name)],
      [6, () => this.#update(view, key, path)],
      [6, () => this.#delete(view, key, path)],
      [2, () => this.#deleteMany(view, keys, name)],
      [6, () => this.#expire(view, key, path)],
      [2, () => this.#invalidateTag()],
      [this.#random.below(100) === 0 ? 10 : 0, () => this.#clear()],
      [this.#random.below(20) === 0 ? 10 : 0, () => this.#clearNamespace()],
      [4, () => this.#crowd(view, key, path)],
    ];
    this.#random.weighted(actions)();
  }

  #load(view: CacheView, key: string, path: string): void {
    const wild = isWild(key);
    const options = { ...this.#storing(), ...this.#policy(wild) };
    const askedAt = this.#moment();
    const tags = this.#tags();
    const answer = view.getOrSet<Made>(
      key,
      async (context) => {
        this.#check(path, context.stale, this.#moment(), 'the stale value of a loader');
        const made = this.#make(path, [...tags, ...((options.tags as string[]) ?? [])]);
        context.tags(tags);
        await this.#work(wild, context);
        return made;
      },
      options,
    );
    const seen = answer.then((value) => {
      if (value === undefined) this.#violate(`getOrSet of ${path} gave nothing`);
      this.#check(path, value, askedAt, 'getOrSet');
    });
    this.#track('getOrSet', seen, { wild, withinMs: LOAD_MS });
  }

  #loadMany(view: CacheView, keys: readonly string[], name: string): void {
    const wild = isWild(keys[0]!);
    const asked = this.#some(keys);
    const askedAt = this.#moment();
    const answers = view.getOrSetMany<Made>(
      asked,
      async (missing, context) => {
        const made = missing.map((key) => [key, this.#make(name + key)] as const);
        await this.#work(wild, context);
        return new Map(made);
      },
      this.#policy(wild),
    );
    const seen = answers.then((found) => {
      if (found.size !== asked.length) this.#violate(`getOrSetMany of ${asked.join()} left some`);
      this.#checkAll(found, name, askedAt, 'getOrSetMany');
    });
    this.#track('getOrSetMany', seen, { wild, withinMs: LOAD_MS });
  }

  #get(view: CacheView, key: string, path: string): void {
    const askedAt = this.#moment();
    this.#check(path, view.peek(key), askedAt, 'peek');
    this.#check(path, view.getIfPresent(key), askedAt, 'getIfPresent');
    const seen = view.get(key).then((value) => this.#check(path, value, askedAt, 'get'));
    this.#track('get', seen, { withinMs: READ_MS });
    if (this.#random.below(10) === 0)
      this.#track('inspect', view.inspect(key), { withinMs: READ_MS });
  }

  #getMany(view: CacheView, keys: readonly string[], name: string): void {
    const askedAt = this.#moment();
    const seen = view
      .getMany(this.#some(keys))
      .then((found) => this.#checkAll(found, name, askedAt, 'getMany'));
    this.#track('getMany', seen, { withinMs: READ_MS });
  }

  #set(view: CacheView, key: string, path: string): void {
    const options = this.#storing();
    const setting = view.set(key, this.#make(path, options.tags as string[]), options);
    this.#track('set', setting, { locks: true, withinMs: STORE_MS });
  }

  #setMany(view: CacheView, keys: readonly string[], name: string): void {
    const entries = this.#some(keys).map((key) => [key, this.#make(name + key)] as const);
    this.#track('setMany', view.setMany(entries), { locks: true, withinMs: STORE_MS });
  }

  #update(view: CacheView, key: string, path: string): void {
    const options = this.#storing();
    const made = this.#make(path, options.tags as string[]);
    const askedAt = this.#moment();
    const updating = view.update<unknown>(
      key,
      async (current) => {
        this.#check(path, current, askedAt, 'update');
        await this.#work(isWild(key));
        return this.#random.below(6) === 0 ? undefined : made;
      },
      options,
    );
    this.#track('update', updating, { locks: true, wild: isWild(key), withinMs: STORE_MS });
  }

  #delete(view: CacheView, key: string, path: string): void {
    const confirms = this.#random.below(4) === 0;
    const deleting = view.delete(key, {
      ...this.#hold(),
      ...(confirms ? { require: 'remote' } : {}),
    });
    this.#track('delete', deleting, { confirms, withinMs: DELETE_MS });
    this.#invalidatedAt.set(path, this.#moment());
  }

  #deleteMany(view: CacheView, keys: readonly string[], name: string): void {
    const some = this.#some(keys);
    this.#track('deleteMany', view.deleteMany(some), { withinMs: DELETE_MS });
    for (const key of some) this.#invalidatedAt.set(name + key, this.#moment());
  }

  #expire(view: CacheView, key: string, path: string): void {
    this.#track('expire', view.expire(key, this.#hold()), { withinMs: DELETE_MS });
    if (view.peek(key) !== undefined) this.#violate(`${path} is fresh after expire`);
  }

  #invalidateTag(): void {
    const tag = this.#random.pick(TAGS);
    this.#track('invalidateTags', this.#cache.invalidateTags(tag, this.#hold()), {
      withinMs: LEVEL_TIMEOUT_MS,
    });
    this.#invalidatedAt.set(`#${tag}`, this.#moment());
  }

  #clear(): void {
    this.#track('clear', this.#cache.clear(), { withinMs: LEVEL_TIMEOUT_MS });
    this.#invalidatedAt.set('*', this.#moment());
  }

  #clearNamespace(): void {
    this.#track('clear of a namespace', this.#views[1]!.view.clear(), {
      withinMs: LEVEL_TIMEOUT_MS,
    });
    this.#invalidatedAt.set('users/*', this.#moment());
  }

  /** Many callers do something about the same key in one step: most of them the same, or each its own. */
  #crowd(view: CacheView, key: string, path: string): void {
    const ways = [
      () => this.#load(view, key, path),
      () => this.#delete(view, key, path),
      () => this.#expire(view, key, path),
      () => this.#set(view, key, path),
      () => this.#get(view, key, path),
    ];
    const same = this.#random.pick(ways);
    const isMixed = this.#random.below(2) === 0;
    const callers = 2 + this.#random.below(isMixed ? 3 : 15);
    for (let caller = 0; caller < callers; caller++)
      if (isMixed) this.#random.pick(ways)();
      else same();
  }

  /** A loader takes a while; one of a wild key may fail. */
  async #work(wild: boolean, context?: Partial<LoadContext>): Promise<void> {
    if (wild && this.#random.below(20) === 0) context?.skip?.();
    if (wild && this.#random.below(8) === 0) throw new Error('the loader failed');
    const ms = this.#random.below(4) === 0 ? this.#random.below(LOADER_MS) : 0;
    if (ms > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, ms));
    if (wild && this.#random.below(8) === 0) throw new Error('the loader failed');
  }

  #policy(wild: boolean): LoadOptions {
    const sometimes = <T>(value: T): T | false => (this.#random.below(3) === 0 ? value : false);
    return {
      ttl: this.#ttl(),
      grace: this.#grace(),
      softTimeout: sometimes(20),
      throttle: sometimes(40),
      eager: sometimes(0.3),
      jitter: sometimes(0.1) || 0,
      forceRefresh: this.#random.below(10) === 0,
      ...(this.#random.below(10) === 0
        ? { skip: { read: this.#skip(), write: this.#skip() } }
        : {}),
      ...(wild ? { hardTimeout: sometimes(60), ...this.#patience() } : {}),
    };
  }

  #patience(): LoadOptions {
    if (this.#random.below(3) > 0) return {};
    if (this.#random.below(2) > 0) return { waitTimeout: 1 + this.#random.below(50) };
    const caller = new AbortController();
    this.#clock.setTimer(() => caller.abort(new Error('the caller left')), this.#random.below(50));
    return { signal: caller.signal };
  }

  #storing(): StoreOptions {
    return {
      ttl: this.#ttl(),
      tags: this.#tags(),
      grace: this.#random.below(3) === 0 ? 300 : false,
    };
  }

  #ttl(): number {
    return this.#random.pick([20, 200, 2_000, LONGEST_LIFETIME_MS - 1_000]);
  }

  #grace(): number | false {
    return this.#random.below(2) === 0 ? 1_000 : false;
  }

  #tags(): string[] {
    return TAGS.filter(() => this.#random.below(8) === 0);
  }

  #skip(): LevelName[] {
    return LEVEL_NAMES.filter(() => this.#random.below(3) === 0);
  }

  #hold(): { hold?: number } {
    return this.#random.below(4) === 0 ? { hold: 1 + this.#random.below(60) } : {};
  }

  #some(keys: readonly string[]): string[] {
    const first = this.#random.below(keys.length - 5);
    return keys.slice(first, first + 2 + this.#random.below(4));
  }

  #make(path: string, tags: readonly string[] = []): Made {
    return { path, tags, calledAt: this.#moment() };
  }

  #checkAll(found: Map<string, unknown>, name: string, askedAt: number, how: string): void {
    for (const [key, value] of found) this.#check(name + key, value, askedAt, how);
  }

  /** No answer may be made up by a level, or be older than an invalidation before the question. */
  #check(path: string, value: unknown, askedAt: number, how: string): void {
    if (value === undefined) return;
    this.#note(`a value: ${how}`);
    const made = value as Made;
    if (made.path !== path) {
      this.#violate(`${how} of ${path} gave ${JSON.stringify(value)}`);
      return;
    }
    const names = [path, '*', ...made.tags.map((tag) => `#${tag}`)];
    if (path.startsWith('users/')) names.push('users/*');
    for (const name of names) {
      const at = this.#invalidatedAt.get(name) ?? 0;
      if (made.calledAt < at && at < askedAt)
        this.#violate(
          `${how} of ${path} gave the value of ${made.calledAt}, ended by ${name} at ${at}`,
        );
    }
  }

  #track(what: string, promise: Promise<unknown>, excuses: Excuses): void {
    this.#operation += 1;
    this.#note(what);
    const startedAt = this.#clock.now();
    const settled = promise
      .catch((error: unknown) => this.#judge(what, error, excuses))
      .finally(() => {
        this.#open.delete(settled);
        const tookMs = this.#clock.now() - startedAt;
        if (tookMs > excuses.withinMs) this.#violate(`${what} took ${tookMs} ms`);
      });
    this.#open.add(settled);
  }

  #judge(what: string, error: unknown, { wild, locks, confirms }: Excuses): void {
    this.#note(`${what} failed: ${(error as Error).name}`);
    const isExcused =
      (wild === true && error instanceof LoadTimeoutError) ||
      (wild === true && /^the (loader failed|caller left)$/.test((error as Error).message)) ||
      (locks === true && error instanceof LockTimeoutError) ||
      (confirms === true && error instanceof CacheLevelError);
    if (!isExcused) this.#violate(`${what}: ${String((error as Error).stack)}`);
  }

  #moment(): number {
    this.#moments += 1;
    return this.#moments;
  }

  #note(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  #violate(what: string): void {
    if (this.#violations.length < 3) this.#violations.push(`operation ${this.#operation}: ${what}`);
  }
}

function isWild(key: string): boolean {
  return key.startsWith('wild');
}
