import type { Clock } from '../../lib/clock.js';
import { hasGrace } from '../../lib/levels/cache-level.js';
import type {
  Ack,
  CacheLevel,
  DeleteMode,
  LevelEntry,
  WriteOutcome,
} from '../../lib/levels/cache-level.js';

/** Decides when what a level was asked for happens, when its answer comes, and what the answer is. */
export type Carrier = <A>(operation: string, apply: () => A) => Promise<A>;

/** What a shared level keeps, whoever asks for it: one map, and no idea of order. */
export class SharedEntries {
  readonly #entries = new Map<string, LevelEntry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  read(key: string): LevelEntry | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.staleUntil <= this.#clock.now() ? undefined : entry;
  }

  write(
    key: string,
    { refreshAt: _r, retryAt: _t, order: _o, ...entry }: LevelEntry,
  ): WriteOutcome {
    this.#entries.set(key, entry);
    return 'stored';
  }

  delete(key: string, { expire = false }: DeleteMode = {}): void {
    const entry = this.read(key);
    this.#entries.delete(key);
    if (expire && entry !== undefined && hasGrace(entry))
      this.#entries.set(key, { ...entry, freshUntil: -Infinity });
  }

  deleteWhere(isConcerned: (key: string, entry: LevelEntry) => boolean): void {
    for (const [key, entry] of this.#entries)
      if (isConcerned(key, entry)) this.#entries.delete(key);
  }
}

/** A level outside this process whose every call a test carries out when and how it likes. */
export class HeldLevel implements CacheLevel {
  readonly inProcess = false;
  readonly entries: SharedEntries;
  readonly #carry: Carrier;

  constructor(
    readonly name: string,
    clock: Clock,
    carry: Carrier,
  ) {
    this.entries = new SharedEntries(clock);
    this.#carry = carry;
  }

  read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    return this.#carry(`read ${keys.join()}`, () => {
      const found = keys.map((key) => [key, this.entries.read(key)] as const);
      return new Map(found.filter(([, entry]) => entry !== undefined) as [string, LevelEntry][]);
    });
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Promise<Map<string, WriteOutcome>> {
    return this.#carry(
      `write ${[...entries.keys()].join()}`,
      () => new Map([...entries].map(([key, entry]) => [key, this.entries.write(key, entry)])),
    );
  }

  delete(keys: readonly string[], mode?: DeleteMode): Promise<Ack> {
    return this.#carry(`delete ${keys.join()}`, () => {
      for (const key of keys) this.entries.delete(key, mode);
      return 'applied' as const;
    });
  }

  invalidateTags(tags: readonly string[]): Promise<Ack> {
    return this.#carry(`invalidateTags ${tags.join()}`, () => {
      this.entries.deleteWhere(
        (_, entry) => entry.tags?.some((tag) => tags.includes(tag)) === true,
      );
      return 'applied' as const;
    });
  }

  clear(namespace = ''): Promise<Ack> {
    return this.#carry('clear', () => {
      this.entries.deleteWhere((key) => key.startsWith(namespace));
      return 'applied' as const;
    });
  }

  async close(): Promise<void> {}
}

/** Does what a level in this process is asked, or something else. */
export type Garbler = <A>(operation: string, apply: () => A) => A;

/** A level in this process that throws now and then, before or after it has done what it was asked. */
export class FaultyLevel implements CacheLevel {
  readonly name = 'faulty';
  readonly inProcess = true;
  readonly #entries = new Map<string, LevelEntry>();
  readonly #clock: Clock;
  readonly #mayFail: () => boolean;
  readonly #garble: Garbler;

  constructor(clock: Clock, mayFail: () => boolean, garble: Garbler = (_, apply) => apply()) {
    this.#clock = clock;
    this.#mayFail = mayFail;
    this.#garble = garble;
  }

  readNow(key: string): LevelEntry | undefined {
    return this.#do('readNow', () => {
      const entry = this.#entries.get(key);
      return entry === undefined || entry.staleUntil <= this.#clock.now() ? undefined : entry;
    });
  }

  read(keys: readonly string[]): Map<string, LevelEntry> {
    const found = keys.map((key) => [key, this.readNow(key)] as const);
    return new Map(found.filter(([, entry]) => entry !== undefined) as [string, LevelEntry][]);
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, WriteOutcome> {
    return this.#do('write', () => {
      for (const [key, entry] of entries) this.#entries.set(key, entry);
      return new Map([...entries.keys()].map((key) => [key, 'stored']));
    });
  }

  delete(keys: readonly string[]): Ack {
    return this.#do('delete', () => {
      for (const key of keys) this.#entries.delete(key);
      return 'applied';
    });
  }

  invalidateTags(): Ack {
    return 'applied';
  }

  clear(namespace = ''): Ack {
    return this.#do('clear', () => {
      for (const key of this.#entries.keys())
        if (key.startsWith(namespace)) this.#entries.delete(key);
      return 'applied';
    });
  }

  async close(): Promise<void> {}

  #do<R>(operation: string, run: () => R): R {
    if (this.#mayFail()) throw new Error('the level failed');
    const result = this.#garble(operation, run);
    if (this.#mayFail()) throw new Error('the level failed afterwards');
    return result;
  }
}
