import type { Clock } from '../../lib/clock.js';
import type { CacheLevel, LevelEntry } from '../../lib/levels/cache-level.js';
import { defer, type Deferred } from './deferred.js';
import { HeldLevel } from './held-level.js';

/**
 * What becomes of a call: it is carried out at once, it fails, it never happens, it is held until
 * {@link ScriptedLevel.letGo}, or it answers what a function makes of it.
 */
export type Way = 'answer' | 'fail' | 'hang' | 'hold' | ((apply: () => unknown) => unknown);

export const AWAY = new Error('the level is away');

class Script {
  readonly calls: string[] = [];
  readonly held: Deferred<void>[] = [];
  readonly ways = new Map<string, Way>();

  async carry<A>(operation: string, apply: () => A): Promise<A> {
    this.calls.push(operation);
    const [name] = operation.split(' ');
    const way = this.ways.get(name!) ?? 'answer';
    if (typeof way === 'function') return way(apply) as A;
    if (way === 'fail') throw AWAY;
    if (way === 'hang') return new Promise<never>(() => {});
    if (way === 'hold') {
      const turn = defer();
      this.held.push(turn);
      await turn.promise;
    }
    return apply();
  }
}

/** A level outside this process that answers as the test says, and notes what it is asked. */
export class ScriptedLevel extends HeldLevel {
  readonly #script: Script;
  closed = 0;

  constructor(clock: Clock, name = 'remote', script = new Script()) {
    super(name, clock, (operation, apply) => script.carry(operation, apply));
    this.#script = script;
  }

  /** The calls so far: the operation and its keys or tags. */
  get calls(): readonly string[] {
    return this.#script.calls;
  }

  /** Returns the calls so far and forgets them. */
  takeCalls(): string[] {
    return this.#script.calls.splice(0);
  }

  /** Says what becomes of the calls of these operations from now on. */
  when(operations: string, way: Way): void {
    for (const operation of operations.split(' ')) this.#script.ways.set(operation, way);
  }

  /** Carries out what is held, in the order of the calls, and lets later calls be answered. */
  letGo(): void {
    for (const operation of this.#script.ways.keys()) this.#script.ways.set(operation, 'answer');
    for (const turn of this.#script.held.splice(0)) turn.resolve();
  }

  /** Has an entry without anybody having asked for it: another process wrote it. */
  put(key: string, entry: LevelEntry): void {
    this.entries.write(key, entry);
  }

  override async close(): Promise<void> {
    this.closed += 1;
  }
}

/** The calls of each kind of operation that fails when a level is away. */
export const ALL_OPERATIONS = 'read write delete invalidateTags clear';

/** An entry that is born now. */
export function entryOf(
  value: unknown,
  clock: Clock,
  { ttl = 1_000, grace = 0, tags }: { ttl?: number; grace?: number; tags?: string[] } = {},
): LevelEntry {
  const freshUntil = clock.now() + ttl;
  return { value, bornAt: clock.now(), freshUntil, staleUntil: freshUntil + grace, tags };
}

/** A level in this process whose every method a test can replace. */
export class PlainLevel implements CacheLevel {
  readonly name = 'plain';
  readonly inProcess = true;
  readonly entries = new Map<string, LevelEntry>();

  readNow = (key: string): LevelEntry | undefined => this.entries.get(key);

  read: CacheLevel['read'] = (keys) =>
    new Map(
      keys.filter((key) => this.entries.has(key)).map((key) => [key, this.entries.get(key)!]),
    );

  write: CacheLevel['write'] = (entries) => {
    for (const [key, entry] of entries) this.entries.set(key, entry);
    return new Map([...entries.keys()].map((key) => [key, 'stored']));
  };

  delete: CacheLevel['delete'] = (keys) => {
    for (const key of keys) this.entries.delete(key);
    return 'applied';
  };

  invalidateTags: CacheLevel['invalidateTags'] = () => 'applied';

  clear: CacheLevel['clear'] = () => {
    this.entries.clear();
    return 'applied';
  };

  close: CacheLevel['close'] = async () => {};
}
