import type {
  Activity,
  CacheDetail,
  CacheInfo,
  CacheSample,
  DashboardHello,
  DashboardSample,
} from '../dashboard-state.js';

const HISTORY_MS = 15 * 60_000;
const MAX_ACTIVITIES = 50;

/** What a hello means to the page that gets it. */
export type Greeting = 'first' | 'again' | 'restarted';

/**
 * All that the page knows. Bounded however long it is open: 15 minutes of samples, whose details are kept of
 * the last one alone, and 50 activities.
 */
export class PageState {
  #hello: DashboardHello | undefined;
  #samples: DashboardSample[] = [];
  #activity: Activity[] = [];
  readonly #details = new Map<string, CacheDetail>();
  #chosen: string | undefined;

  /** @param chosen name of the cache to show, if there is one of this name. */
  constructor(chosen?: string) {
    this.#chosen = chosen;
  }

  get hello(): DashboardHello | undefined {
    return this.#hello;
  }

  /** Oldest first. */
  get samples(): readonly DashboardSample[] {
    return this.#samples;
  }

  /** The cache shown; `undefined` before the first hello, or where the application has none. */
  get cache(): CacheInfo | undefined {
    const caches = this.#hello?.caches ?? [];
    return caches.find(({ name }) => name === this.#chosen) ?? caches[0];
  }

  /** Of the cache shown. */
  get detail(): CacheDetail | undefined {
    return this.cache && this.#details.get(this.cache.name);
  }

  /** Of the cache shown, newest first. */
  get activity(): readonly Activity[] {
    return this.#activity.filter(({ cache }) => cache === this.cache?.name).toReversed();
  }

  /** The server's time of the last thing it told. */
  get now(): number {
    return this.#samples.at(-1)?.at ?? this.#hello?.now ?? 0;
  }

  choose(name: string): void {
    this.#chosen = name;
  }

  /** Takes everything anew: the server sends what was missed with each hello. */
  greet(hello: DashboardHello): Greeting {
    const before = this.#hello?.bootId;
    this.#hello = { ...hello, history: [], activity: [] };
    this.#samples = [];
    this.#activity = hello.activity.slice(-MAX_ACTIVITIES);
    this.#details.clear();
    for (const sample of hello.history) this.add(sample);
    if (before === undefined) return 'first';
    return before === hello.bootId ? 'again' : 'restarted';
  }

  add({ at, caches }: DashboardSample): void {
    // A clock that was set back would have the lines go back too.
    while ((this.#samples.at(-1)?.at ?? -Infinity) >= at) this.#samples.pop();
    this.#samples.push({ at, caches: Object.fromEntries(this.#withoutDetails(caches)) });
    const surplus = this.#samples.findIndex((sample) => sample.at > at - HISTORY_MS);
    this.#samples.splice(0, surplus);
  }

  note(activity: Activity): void {
    this.#activity.push(activity);
    if (this.#activity.length > MAX_ACTIVITIES) this.#activity.shift();
  }

  /** The samples of the cache shown in the last `ms`, oldest first. */
  recent(ms: number): readonly CacheSample[] {
    const name = this.cache?.name;
    if (name === undefined) return [];
    return this.#samples
      .filter(({ at }) => at > this.now - ms)
      .map(({ caches }) => caches[name])
      .filter((sample) => sample !== undefined);
  }

  #withoutDetails(caches: DashboardSample['caches']): [string, CacheSample][] {
    return Object.entries(caches).map(([name, { detail, ...sample }]) => {
      if (detail !== undefined) this.#details.set(name, detail);
      return [name, sample];
    });
  }
}
