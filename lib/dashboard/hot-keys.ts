import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Clock } from '../clock.js';
import { CACHE_CHANNELS, type HitEvent } from '../hierarchy/cache-events.js';
import type { HotKey } from './dashboard-state.js';
import { labelOf } from './shown-text.js';
import { TopKeys } from './top-keys.js';

/** How long hits are listened to, once a second. */
const SAMPLE_MS = 50;
/** So many hits are enough: then nobody listens before the next second. */
const MAX_SAMPLED = 2_000;
const MAX_COUNTERS = 200;
const MAX_SHOWN = 20;
/** After so many samples what was counted before counts half: what was hot long ago is not hot. */
const SAMPLES_BEFORE_AGEING = 60;

/** What {@link HotKeys} are made of. */
export interface HotKeysPorts {
  readonly clock: Clock;
  readonly revealKeys: boolean;
  /** Returns what the cache of an event is called, `undefined` for one that is not told of. */
  readonly nameOf: (event: HitEvent) => string | undefined;
}

interface Counted {
  readonly keys: TopKeys;
  /** How its keys are shown: what was hashed once need not be again. */
  readonly labels: Map<string, string>;
}

/**
 * Finds the keys that are hit most, from a part of the hits. While it listens each hit costs a message, so it does
 * for 50 ms of a second and 2,000 hits at most, and only when asked to: else hits cost nothing.
 */
export class HotKeys {
  readonly #ports: HotKeysPorts;
  readonly #counted = new Map<string, Counted>();
  #left = 0;
  #samples = 0;
  #end: (() => void) | undefined;

  constructor(ports: HotKeysPorts) {
    this.#ports = ports;
  }

  /** Listens to hits for a moment. */
  sample(): void {
    if (this.#end !== undefined) return;
    this.#samples += 1;
    if (this.#samples % SAMPLES_BEFORE_AGEING === 0) this.#age();
    this.#left = MAX_SAMPLED;
    const cancel = this.#ports.clock.setTimer(() => this.#end?.(), SAMPLE_MS);
    this.#end = () => {
      this.#end = undefined;
      cancel();
      unsubscribe(CACHE_CHANNELS.hit, this.#note);
    };
    subscribe(CACHE_CHANNELS.hit, this.#note);
  }

  /** The hottest keys of a cache, the hottest first. */
  of(cache: string): readonly HotKey[] {
    const counted = this.#counted.get(cache);
    if (counted === undefined) return [];
    const { keys, labels } = counted;
    const top = keys.top(MAX_SHOWN).map(({ key, count }) => [key, count] as const);
    const shown = top.map(([key]) => [key, labels.get(key) ?? this.#labelOf(key)] as const);
    labels.clear();
    for (const [key, label] of shown) labels.set(key, label);
    return top.map(([key, count]) => ({
      label: labels.get(key)!,
      share: count / keys.total,
      hits: Math.round(count),
    }));
  }

  /** Listens no more and forgets what was counted. */
  stop(): void {
    this.#end?.();
    this.#counted.clear();
    this.#samples = 0;
  }

  readonly #note = (message: unknown): void => {
    const event = message as HitEvent;
    const cache = this.#ports.nameOf(event);
    if (cache === undefined) return;
    this.#keysOf(cache).add(JSON.stringify([event.key, ...event.namespace]));
    this.#left -= 1;
    if (this.#left === 0) this.#end?.();
  };

  #keysOf(cache: string): TopKeys {
    let counted = this.#counted.get(cache);
    if (counted === undefined) {
      counted = { keys: new TopKeys(MAX_COUNTERS), labels: new Map() };
      this.#counted.set(cache, counted);
    }
    return counted.keys;
  }

  #labelOf(counted: string): string {
    const [key, ...namespace] = JSON.parse(counted) as [string, ...string[]];
    return labelOf(namespace, key, this.#ports.revealKeys);
  }

  #age(): void {
    for (const { keys } of this.#counted.values()) keys.age();
  }
}
