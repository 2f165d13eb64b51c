import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { LevelEntry, WriteOutcome } from '../../lib/levels/cache-level.js';
import { NAMESPACE_SEPARATOR } from '../../lib/memory/cache-key.js';
import { FaultyLevel, HeldLevel, type Garbler } from '../support/held-level.js';
import type { Random } from '../support/random.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { FenceOracle } from './fence-oracle.js';
import type { HeldBack } from './held-back.js';
import type { Traced } from './traced.js';

/** Which levels a schedule has. */
export type Levels =
  | 'L1 and L2 in memory'
  | 'L1 in memory, L2 in this process'
  | 'L1 in memory, remote'
  | 'L1 and L2 in memory, remote'
  | 'L1 in memory, L2 outside, remote';

export const LEVEL_TIMEOUT_MS = 70;

/** What the levels of a schedule are made of. */
export interface ScheduleLevelsOptions {
  readonly levels: Levels;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly held: HeldBack;
  readonly oracle: FenceOracle;
}

/** The lower levels L1. Those outside are slow and fail. */
export class ScheduleLevels {
  readonly #options: ScheduleLevelsOptions;
  readonly #remote: WatchedLevel;
  /** The keys with a write on its way to a level outside. */
  readonly #writing = new Set<string>();

  constructor(options: ScheduleLevelsOptions) {
    this.#options = options;
    this.#remote = new WatchedLevel('remote', options, this.#writing);
  }

  /** Whether there is one that other processes share. */
  get hasRemote(): boolean {
    return this.#options.levels.includes('remote');
  }

  isWriting(path: string): boolean {
    return this.#writing.has(keyOf(path));
  }

  options(): Pick<CacheHierarchyOptions, 'l2' | 'remote'> {
    const { levels, clock, held } = this.#options;
    const memory = { maxEntries: 100, ttl: 100, seed: 2, virtualNodes: 1 };
    if (levels === 'L1 and L2 in memory') return { l2: memory };
    if (levels === 'L1 in memory, L2 in this process')
      return { l2: new FaultyLevel(clock, () => held.mayFail(8), this.#refuseSome) };
    const remote = this.#remote;
    if (levels === 'L1 in memory, remote') return { l2: false, remote };
    if (levels === 'L1 and L2 in memory, remote') return { l2: memory, remote };
    return { l2: new WatchedLevel('L2', this.#options, this.#writing), remote };
  }

  /** Another process stores in the remote what it has just loaded. */
  writeElsewhere(path: string, value: Traced, lifetime: { ttl: number; grace: number }): void {
    const bornAt = this.#options.clock.now();
    const freshUntil = bornAt + lifetime.ttl;
    const staleUntil = freshUntil + lifetime.grace;
    const { tags } = value.births[0]!;
    this.#remote.entries.write(keyOf(path), { value, bornAt, freshUntil, staleUntil, tags });
    this.#options.oracle.noteStorable(value);
  }

  /** What a level in this process is given to store it does not always take. */
  readonly #refuseSome: Garbler = (operation, apply) =>
    operation === 'write' && this.#options.held.mayFail(12)
      ? (new Map() as ReturnType<typeof apply>)
      : apply();
}

/** A level outside that takes time, fails, does not take everything, and tells the oracle what it took. */
class WatchedLevel extends HeldLevel {
  readonly #options: ScheduleLevelsOptions;

  readonly #writing: Set<string>;

  constructor(name: string, options: ScheduleLevelsOptions, writing: Set<string>) {
    super(name, options.clock, (_, apply) => options.held.carry(apply));
    this.#options = options;
    this.#writing = writing;
  }

  override write(entries: ReadonlyMap<string, LevelEntry>): Promise<Map<string, WriteOutcome>> {
    const { held, random } = this.#options;
    const outcome: WriteOutcome = held.mayFail(10) ? random.pick(['fenced', 'refused']) : 'stored';
    for (const key of entries.keys()) this.#writing.add(key);
    const written = held.carry(
      () => {
        if (outcome === 'stored') for (const [key, entry] of entries) this.#store(key, entry);
        return new Map([...entries.keys()].map((key) => [key, outcome]));
      },
      () => {
        if (outcome !== 'fenced') return;
        for (const { value } of entries.values()) this.#noteFenced(value as Traced);
      },
    );
    return written.finally(() => {
      for (const key of entries.keys()) this.#writing.delete(key);
    });
  }

  #store(key: string, entry: LevelEntry): void {
    const { oracle, clock } = this.#options;
    this.entries.write(key, entry);
    const value = entry.value as Traced;
    oracle.noteStorable(value);
    // No load overwrites here what a later one brought. Copies of older ones come to the other levels only.
    if (this.name === 'remote' && entry.staleUntil > clock.now())
      oracle.noteStoredLast(pathOf(key), value);
  }

  /**
   * The last level is written first: where it knows better no other may have the value. Who has waited too long,
   * for its turn or for the answer, does not hear of it.
   */
  #noteFenced(value: Traced): void {
    if (this.#options.clock.now() - value.broughtAt >= LEVEL_TIMEOUT_MS) return;
    const isLoad = value.births.length === 1 && value.births[0]!.source === 'load';
    if (this.name === 'remote' && isLoad) value.unstorable = 'which the remote has fenced';
  }
}

function keyOf(path: string): string {
  return path.replace('/', NAMESPACE_SEPARATOR);
}

function pathOf(key: string): string {
  return key.replace(NAMESPACE_SEPARATOR, '/');
}
