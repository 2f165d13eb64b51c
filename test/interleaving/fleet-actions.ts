import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import type { Random } from '../support/random.js';
import type { FleetOracle, FleetValue, How } from './fleet-oracle.js';
import type { HeldBack } from './held-back.js';

/** What the actions of a fleet work on, and who watches them. */
export interface FleetActionsOptions {
  readonly random: Random;
  readonly held: HeldBack;
  readonly oracle: FleetOracle;
  readonly ttlMs: number;
  /** Waits with the schedule for what a call settles with. */
  track(settling: Promise<unknown>): void;
}

/** A key where it is asked for, in one of the processes. */
export interface FleetPlace {
  readonly process: string;
  readonly cache: CacheHierarchy;
  readonly view: CacheView;
  readonly key: string;
  /** What is before the key in `path`. */
  readonly name: string;
  readonly path: string;
}

export const KEYS = ['a', 'b'];
const TAGS = ['red', 'blue', 'green'];
const GRACE_MS = 100_000;
const LONGEST_HOLD_MS = 400;
const MAY_FAIL = /the loader failed|No load of key|hardTimeout|was not free/;

/** What callers do in the processes, at random. Each tells the oracle what took effect in the call or after it. */
export class FleetActions {
  readonly #options: FleetActionsOptions;
  readonly #random: Random;

  constructor(options: FleetActionsOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  load({ process, view, key, path }: FleetPlace): void {
    const { held, oracle } = this.#options;
    const asked = oracle.now();
    const tags = this.#someTags();
    const tagsComeLate = this.#random.below(2) === 0;
    const policy = this.#somePolicy();
    const hasGrace = policy.grace !== false;
    const answer = view.getOrSet<FleetValue>(
      key,
      async (context) => {
        const value = oracle.make({ process, source: 'load', path, tags, hasGrace });
        const stale = context.stale as FleetValue | undefined;
        oracle.check(process, path, { value: stale, asked, how: 'a loader' });
        await held.work();
        context.tags(tags);
        return value;
      },
      { ...policy, ...(tagsComeLate ? {} : { tags }) },
    );
    this.#watch(answer, { process, path }, 'getOrSet');
  }

  loadMany({ process, view, name }: FleetPlace): void {
    const { held, oracle, ttlMs } = this.#options;
    const asked = oracle.now();
    const answers = view.getOrSetMany<FleetValue>(
      KEYS,
      async (missing) => {
        const made = missing.map((key) => {
          const born = { process, source: 'load', path: name + key, tags: [] } as const;
          return [key, oracle.make({ ...born, hasGrace: false })] as const;
        });
        await held.work();
        return new Map(made);
      },
      { ttl: ttlMs },
    );
    const check = (found: Map<string, FleetValue>): void => {
      for (const [key, value] of found)
        oracle.check(process, name + key, { value, asked, how: 'getOrSet' });
    };
    this.#track(answers.then(check));
  }

  get({ process, view, key, path }: FleetPlace): void {
    this.#watch(view.get<FleetValue>(key), { process, path }, 'get');
  }

  set({ process, view, key, path }: FleetPlace): void {
    const { value, options } = this.#someWrite({ process, source: 'set', path });
    const noteStored = (): void =>
      this.#options.oracle.noteEnded(process, path, { calledBefore: value.calledAt });
    this.#track(view.set(key, value, options).then(noteStored));
  }

  update({ process, view, key, path }: FleetPlace): void {
    const { held, oracle } = this.#options;
    const { value, options } = this.#someWrite({ process, source: 'update', path });
    const asked = oracle.now();
    const updating = view.update<FleetValue>(
      key,
      async (current) => {
        oracle.check(process, path, { value: current, asked, how: 'an update' });
        await held.work();
        return value;
      },
      options,
    );
    // One that fails acts as a delete.
    const noteEnd = (): void => oracle.noteEnded(process, path, { calledBefore: value.calledAt });
    this.#track(updating.finally(noteEnd));
  }

  delete({ process, view, key, path }: FleetPlace): void {
    this.#track(view.delete(key, this.#someHold()));
    this.#options.oracle.noteEnded(process, path);
  }

  expire({ process, view, key, path }: FleetPlace): void {
    this.#track(view.expire(key, this.#someHold()));
    this.#options.oracle.noteEnded(process, path, { isExpiry: true });
  }

  invalidateTag({ process, cache }: FleetPlace): void {
    const tag = this.#random.pick(TAGS);
    this.#track(cache.invalidateTags(tag, this.#someHold()));
    this.#options.oracle.noteEnded(process, `#${tag}`);
  }

  /** Clears everything, or what a namespace has. */
  clear({ process, cache, view, name }: FleetPlace, isAll: boolean): void {
    this.#track((isAll ? cache : view).clear());
    this.#options.oracle.noteEnded(process, isAll ? '*' : `${name}*`);
  }

  #somePolicy(): LoadOptions {
    const sometimes = <T>(value: T): T | false => (this.#random.below(4) === 0 ? value : false);
    return {
      ttl: this.#options.ttlMs,
      grace: sometimes(GRACE_MS),
      softTimeout: sometimes(100),
      hardTimeout: sometimes(700),
      throttle: sometimes(100),
      eager: sometimes(0.3),
      forceRefresh: this.#random.below(10) === 0,
    };
  }

  #someWrite(birth: Pick<FleetValue, 'process' | 'source' | 'path'>): {
    value: FleetValue;
    options: { tags: string[]; grace: number | false };
  } {
    const tags = this.#someTags();
    const hasGrace = this.#random.below(3) === 0;
    const value = this.#options.oracle.make({ ...birth, tags, hasGrace });
    return { value, options: { tags, grace: hasGrace && GRACE_MS } };
  }

  #someHold(): { hold?: number } {
    return this.#random.below(3) > 0 ? {} : { hold: 1 + this.#random.below(LONGEST_HOLD_MS) };
  }

  #someTags(): string[] {
    return TAGS.filter(() => this.#random.below(3) === 0);
  }

  #watch(
    answer: Promise<FleetValue | undefined>,
    { process, path }: Pick<FleetPlace, 'process' | 'path'>,
    how: How,
  ): void {
    const { oracle } = this.#options;
    const asked = oracle.now();
    this.#track(
      answer.then((value) => {
        oracle.tell(() => `${process}: ${how} of ${path} asked at ${asked.moment}: ${value?.id}`);
        oracle.check(process, path, { value, asked, how });
      }),
    );
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
