import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { BatchLoadContext } from '../../lib/hierarchy/batch-load.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { CacheView } from '../../lib/hierarchy/cache-view.js';
import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import { VirtualClock } from '../support/virtual-clock.js';
import type { Rules, Said } from './naive-entries.js';
import type { Caller, NaiveCounts } from './naive-load.js';
import { NaivePolicy } from './naive-policy.js';
import { partsOf, Reply, show } from './reply.js';
import { loadOptionsOf, storeOptionsOf } from './said-options.js';
import { batchLoaderOf, loaderOf, ofKey, updaterOf, type Source } from './scripted-source.js';

/** A hierarchy as it is built, and what the naive policy has to know of it. */
export interface Shape extends Rules {
  options(clock: VirtualClock): CacheHierarchyOptions;
}

/** What a step of a program says of a source; the comparison tells them apart. */
export interface Script extends Pick<Source, 'ms' | 'outcome' | 'tags'> {
  readonly wait?: number | undefined;
}

/** All keys of a program; `>` ends the name of a namespace. */
export const KEYS = ['a', 'b', 'n>a', 'n>b', 'n>m>a'];

/** A call that was made in both worlds, and is to end alike in both. */
interface Pending {
  readonly what: string;
  readonly here: Reply;
  readonly naive: Reply;
}

type Values = Map<string, unknown>;

interface PendingCaller {
  readonly controller: AbortController;
  readonly callers: readonly Caller[];
  readonly reply: Reply;
}

/** A hierarchy beside the naive policy. After each step nothing that a caller can see may differ. */
export class PolicyComparison {
  readonly clock: VirtualClock;
  readonly cache: CacheHierarchy;
  readonly naive: NaivePolicy;
  readonly #signals = new Map<string, AbortSignal>();
  /** Every call of a loader for a key. */
  readonly #begun = new Set<string>();
  readonly #reports: string[] = [];
  #batches: number[] = [];
  #pending: Pending[] = [];
  #callers: PendingCaller[] = [];
  #ids = 0;

  constructor(shape: Shape) {
    this.clock = new VirtualClock(() => settleTicks(shape.copyMs === undefined ? 50 : 130));
    this.naive = new NaivePolicy(shape, this.clock.now());
    this.cache = new CacheHierarchy({
      clock: this.clock,
      ttl: shape.ttl,
      enabled: shape.enabled,
      joinTimeout: Infinity,
      lockTimeout: Infinity,
      report: ({ message }) => this.#reports.push(message),
      ...shape.options(this.clock),
    });
  }

  /** Several callers in one step: each has a loader of its own, and one of them is called. */
  getOrSet(key: string, scripts: readonly Script[], said: Said): void {
    const { view, name } = this.#at(key);
    for (const script of scripts) {
      const source = this.#sourceOf(script);
      const what = `${source.id} ${key}`;
      const { here, naive, controller } = this.#call(`getOrSet ${what}`);
      const loader = loaderOf(source, this.#sleep);
      const note = (context: LoadContext): Promise<unknown> => {
        this.#begun.add(what);
        this.#signals.set(what, context.signal);
        return loader(context);
      };
      here.follow(view.getOrSet<unknown>(name, note, this.#optionsOf(said, script, controller)));
      const caller = { key, said, source, wait: script.wait, reply: naive };
      this.#callers.push({ controller, callers: [caller], reply: naive });
      this.naive.getOrSet(caller);
    }
  }

  /** One loader for all that is missing; it is not told of what is stale. */
  getOrSetMany(prefix: string, names: readonly string[], script: Script, said: Said): void {
    const { view } = this.#at(prefix);
    const { outcome, wait } = script;
    const source = this.#sourceOf({ ...script, outcome: outcome === 'same' ? 'value' : outcome });
    const { here, naive, controller } = this.#call(`getOrSetMany ${source.id} ${prefix}`);
    const loader = batchLoaderOf(source, this.#sleep);
    const note = (missing: readonly string[], context: BatchLoadContext): Promise<Values> => {
      this.#batches.push(source.id);
      for (const name of missing) this.#begun.add(`${source.id} ${prefix}${name}`);
      return loader(missing, context);
    };
    here.follow(view.getOrSetMany(names, note, this.#optionsOf(said, script, controller)));
    const parts = partsOf(naive, names);
    const callers = names.map((name, at) => ({
      key: prefix + name,
      said,
      wait,
      source: ofKey(source, name),
      reply: parts[at]!,
    }));
    this.#callers.push({ controller, callers, reply: naive });
    for (const caller of callers) this.naive.getOrSet(caller);
  }

  get(key: string): void {
    const { view, name } = this.#at(key);
    this.#both(`get ${key}`, view.get(name), this.naive.get(key));
  }

  getIfPresent(key: string): void {
    const { view, name } = this.#at(key);
    const there = this.naive.getIfPresent(key);
    this.#expect(`getIfPresent ${key}`, view.getIfPresent(name), there);
  }

  getMany(prefix: string, names: readonly string[]): void {
    const values = names.map((name) => [name, this.naive.get(prefix + name)] as const);
    const found = new Map(values.filter(([, value]) => value !== undefined));
    this.#both(`getMany ${prefix}`, this.#at(prefix).view.getMany(names), found);
  }

  set(key: string, isNull: boolean, said: Said): void {
    const { view, name } = this.#at(key);
    const value = isNull ? null : `value ${++this.#ids}`;
    const { here, naive } = this.#call(`set ${key}`);
    here.follow(view.set(name, value, storeOptionsOf(said, this.clock)));
    this.naive.set(key, value, said, naive);
  }

  setMany(prefix: string, names: readonly string[], said: Said): void {
    const value = `value ${++this.#ids}`;
    const { here, naive } = this.#call(`setMany ${prefix}`);
    const entries = names.map((name) => [name, value] as const);
    here.follow(this.#at(prefix).view.setMany(entries, storeOptionsOf(said, this.clock)));
    const parts = partsOf(new Reply(() => naive.return(undefined)), names);
    for (const [at, name] of names.entries())
      this.naive.set(prefix + name, value, said, parts[at]!);
  }

  update(key: string, script: Script, said: Said): void {
    const { view, name } = this.#at(key);
    const source = this.#sourceOf(script);
    const { here, naive } = this.#call(`update ${source.id} ${key}`);
    const change = updaterOf(source, this.#sleep);
    here.follow(view.update<unknown>(name, change, storeOptionsOf(said, this.clock)));
    this.naive.update(key, source, said, naive);
  }

  delete(key: string, hold: number | undefined): void {
    const { view, name } = this.#at(key);
    this.#both(`delete ${key}`, view.delete(name, { hold }), this.naive.delete(key, hold));
  }

  deleteMany(prefix: string, names: readonly string[], hold: number | undefined): void {
    const deleted = names.filter((name) => this.naive.delete(prefix + name, hold)).length;
    this.#both(`deleteMany ${prefix}`, this.#at(prefix).view.deleteMany(names, { hold }), deleted);
  }

  expire(key: string, hold: number | undefined): void {
    const { view, name } = this.#at(key);
    this.#both(`expire ${key}`, view.expire(name, { hold }), this.naive.expire(key, hold));
  }

  invalidate(tag: string, hold: number | undefined): void {
    this.naive.invalidate(tag, hold);
    this.#both(`invalidate ${tag}`, this.cache.invalidateTags(tag, { hold }), undefined);
  }

  clear(prefix: string): void {
    this.naive.clear(prefix);
    this.#both(`clear ${prefix}`, this.#at(prefix).view.clear(), undefined);
  }

  /** Aborts the signal of one of the callers who wait. */
  abort(which: number): void {
    this.#callers = this.#callers.filter(({ reply }) => reply.outcome === undefined);
    const one = this.#callers[which % this.#callers.length];
    one?.controller.abort(new Error('left'));
    for (const caller of one?.callers ?? []) this.naive.leave(caller);
  }

  sweep(): void {
    void this.cache.removeExpired();
  }

  async wait(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.naive.advance(ms);
    this.#batches = [];
  }

  /** Lets everything that is due happen, and compares. */
  async check(): Promise<void> {
    await this.clock.turn();
    this.naive.advance(0);
    for (const key of KEYS) {
      const { view, name } = this.#at(key);
      this.#expect(`peek ${key}`, view.peek(name), this.naive.peek(key));
      this.#expect(`has ${key}`, view.has(name), this.naive.peek(key) !== undefined);
    }
    for (const { what, here, naive } of this.#pending)
      this.#expect(what, show(here.outcome), show(naive.outcome));
    this.#pending = this.#pending.filter(({ here }) => here.outcome === undefined);
    const metrics = this.cache.getMetrics();
    this.#expect('counts', show(countsOf(metrics)), show(countsOf(this.naive.counts)));
    this.#expect('reports', this.#reports.join(), '');
    this.#expect('gets', metrics.gets, metrics.hits + metrics.misses);
    this.#checkLoaders();
  }

  #checkLoaders(): void {
    const calls = [...this.#begun].toSorted().join();
    this.#expect('loaders', calls, [...this.naive.begun.keys()].toSorted().join());
    // A loader of several keys is called once for all that are missing.
    this.#expect('batches', new Set(this.#batches).size, this.#batches.length);
    this.#batches = [];
    for (const [call, { aborted }] of this.#signals)
      this.#expect(`signal ${call}`, aborted, this.naive.begun.get(call)!.aborted);
  }

  #optionsOf(said: Said, { wait }: Script, { signal }: AbortController): LoadOptions {
    return { ...loadOptionsOf(said, this.clock), waitTimeout: wait, signal };
  }

  #sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });

  #sourceOf({ ms, outcome, tags }: Script): Source {
    const id = ++this.#ids;
    return { id, ms, outcome, tags, value: `value ${id}` };
  }

  #call(what: string): Pending & { readonly controller: AbortController } {
    const call = { what, here: new Reply(), naive: new Reply(), controller: new AbortController() };
    this.#pending.push(call);
    return call;
  }

  #both(what: string, here: Promise<unknown>, naive: unknown): void {
    const call = this.#call(what);
    call.here.follow(here);
    call.naive.return(naive);
  }

  #at(key: string): { readonly view: CacheView; readonly name: string } {
    const path = key.split('>');
    const name = path.pop()!;
    const [outer, inner] = path;
    if (outer === undefined) return { view: this.cache, name };
    const space = this.cache.namespace(outer);
    return { view: inner === undefined ? space : space.namespace(inner), name };
  }

  #expect(what: string, got: unknown, wanted: unknown): void {
    if (!Object.is(got, wanted)) throw new Error(`${what}: ${String(got)}, not ${String(wanted)}`);
  }
}

const resolved = Promise.resolve();

async function settleTicks(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) await resolved;
}

function countsOf(counts: NaiveCounts): NaiveCounts {
  const { hits, misses, loads, loadFailures, staleServed } = counts;
  const { refreshes, sets, unstored, fenced } = counts;
  return { hits, misses, loads, loadFailures, staleServed, refreshes, sets, unstored, fenced };
}
