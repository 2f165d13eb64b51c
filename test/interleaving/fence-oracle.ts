import type { Birth, Moment, Traced } from './traced.js';

/** How a value was got. */
export type How = 'peek' | 'getIfPresent' | 'get' | 'getOrSet' | 'a loader' | 'an update';

/** What took effect on a key, tag or namespace, each at its last step; 0 for never. */
interface Instants {
  deletedAt: number;
  expiredAt: number;
  /** When a set or update was stored: loads called before are over. */
  storedAt: number;
  /** When an update failed, and when that had been called. */
  unstoredAt: number;
  unstoredCall: number;
  /** The clock time until which what is loaded is not to be stored. */
  heldUntil: number;
  /** The last calls among the loads, and among the sets and updates, that were seen stored. */
  latestLoad: number;
  latestWrite: number;
  /** The last call among the loads that the last level outside was seen to take. */
  latestBelow: number;
}

/**
 * Holds every answer against what took effect before it was asked for: no value is given whose load,
 * set or update was called before that.
 *
 * What the other process writes ends like anything else when this one invalidates it, and not when this
 * one sets or loads something: tickets are of one process.
 */
export class FenceOracle {
  readonly #moment: Moment;
  /** Whether no level takes time: what is stored is there at once. */
  readonly #isSync: boolean;
  readonly #instants = new Map<string, Instants>();
  /** The keys of which a load was not written to every level, on purpose. */
  readonly #skipped = new Set<string>();
  /** What was wrong first. */
  violation: string | undefined;

  constructor(moment: Moment, isSync: boolean) {
    this.#moment = moment;
    this.#isSync = isSync;
  }

  violate(what: string): void {
    this.violation ??= `step ${this.#moment.step}: ${what}`;
  }

  /** Notes that a key, `#` and a tag, a namespace or `*` for everything was invalidated. */
  noteInvalidated(name: string): void {
    this.#of(name).deletedAt = this.#moment.step;
  }

  noteExpired(path: string): void {
    this.#of(path).expiredAt = this.#moment.step;
  }

  /** Notes a hold of a key, or of `#` and a tag; returns the clock time at which it ends. */
  noteHeld(name: string, holdMs: number): number {
    const instants = this.#of(name);
    instants.heldUntil = Math.max(instants.heldUntil, this.#moment.clock.now() + holdMs);
    return instants.heldUntil;
  }

  /** Notes that a set or update is stored, and every load called before over. */
  noteWritten(path: string): void {
    this.#of(path).storedAt = this.#moment.step;
  }

  /** Notes that an update has failed: it acts as a delete. */
  noteUnstored(path: string, calledAt: number): void {
    Object.assign(this.#of(path), { unstoredAt: this.#moment.step, unstoredCall: calledAt });
  }

  noteSkipped(path: string): void {
    this.#skipped.add(path);
  }

  /** Notes that a level can have a value from now on. */
  noteStorable(value: Traced): void {
    value.storedSince = Math.min(value.storedSince, this.#moment.step);
  }

  /** Notes what the last level outside was seen to store: no load overwrites there what a later one brought. */
  noteStoredLast(path: string, { id, births }: Traced): void {
    const { source, calledAt, askedAt } = births.at(-1)!;
    if (source !== 'load') return;
    const instants = this.#of(path);
    if (calledAt < instants.latestBelow)
      this.violate(`the ${id} replaced the load asked for at ${instants.latestBelow} in ${path}`);
    instants.latestBelow = Math.max(instants.latestBelow, askedAt);
  }

  /** An answer to a question asked at a step must not be older than what took effect before it. */
  check(path: string, value: Traced | undefined, askedAt: number, how: How): void {
    if (value === undefined) return;
    const { births, unstorable, id } = value;
    let end: string | undefined;
    for (const birth of births) {
      end = this.#endOf(path, value, { birth, askedAt, how });
      if (end === undefined) break;
    }
    if (end !== undefined) this.violate(`${how} of ${path} gave the ${id}, ended by ${end}`);
    if (how === 'getOrSet') return;
    if (unstorable !== undefined) this.violate(`${how} of ${path} gave the ${id}, ${unstorable}`);
    if (how === 'peek' || how === 'getIfPresent') this.#checkStored(path, value);
  }

  #endOf(
    path: string,
    { storedSince }: Traced,
    { birth, askedAt, how }: { birth: Birth; askedAt: number; how: How },
  ): string | undefined {
    const { calledAt, source, tags, hasGrace } = birth;
    const ends = (at: number): boolean => calledAt < at && at < askedAt;
    const of = this.#of(path);
    if (ends(of.deletedAt)) return `delete at ${of.deletedAt}`;
    if (ends(of.expiredAt)) {
      // Only what was stored is kept as a stale value, not what was on its way.
      const isStale = hasGrace && storedSince < of.expiredAt;
      if (!isStale || (how !== 'getOrSet' && how !== 'a loader'))
        return `expire at ${of.expiredAt}`;
    }
    const isOwnWrite = source === 'set' || source === 'update';
    if (ends(of.unstoredAt) && (!isOwnWrite || calledAt < of.unstoredCall))
      return `the failed update at ${of.unstoredAt}`;
    if (source === 'load' && ends(of.storedAt)) return `the set or update at ${of.storedAt}`;
    if (ends(this.#of('*').deletedAt)) return 'clear';
    if (path.startsWith('users/') && ends(this.#of('users/*').deletedAt))
      return 'the clear of its namespace';
    for (const tag of tags) if (ends(this.#of(`#${tag}`).deletedAt)) return `the tag ${tag}`;
    return undefined;
  }

  /** What was found in this process was stored there, which is not always allowed. */
  #checkStored(path: string, value: Traced): void {
    this.noteStorable(value);
    let held: string | undefined;
    for (const birth of value.births) {
      held = this.#holderOf(path, birth);
      if (held === undefined) break;
    }
    if (held !== undefined) this.violate(`${path} has the ${value.id}, which ${held} holds`);
    this.#checkOrder(path, value);
  }

  #holderOf(path: string, { source, at, calledAt, tags }: Birth): string | undefined {
    if (source === 'set' || source === 'update') return undefined;
    const { step, clock } = this.#moment;
    for (const name of [path, ...tags.map((tag) => `#${tag}`)]) {
      const { heldUntil, deletedAt, expiredAt } = this.#of(name);
      // What another process has written may be copied once the hold is over.
      const isHeld = source === 'load' ? at < heldUntil : clock.now() < heldUntil;
      // What was there when it was held is gone by the invalidation itself.
      const heldAt = Math.max(deletedAt, expiredAt);
      if (isHeld && !(heldAt === step && calledAt < heldAt)) return name;
    }
    return undefined;
  }

  /** Neither loads nor sets and updates go back to what was called earlier. */
  #checkOrder(path: string, { births, id }: Traced): void {
    const first = births[0]!;
    const last = births.at(-1)!;
    const of = this.#of(path);
    if (last.source === 'set' || last.source === 'update') {
      if (last.calledAt < of.latestWrite) this.violate(`${path} went back to the ${id}`);
      of.latestWrite = Math.max(of.latestWrite, last.calledAt);
    }
    // A level may have failed, or have been left out, when the newer load was stored.
    if (first.source !== 'load' || !this.#isSync || this.#skipped.has(path)) return;
    if (last.calledAt < of.latestLoad) this.violate(`${path} went back to the ${id}`);
    of.latestLoad = Math.max(of.latestLoad, first.calledAt);
  }

  #of(name: string): Instants {
    let instants = this.#instants.get(name);
    if (instants === undefined) {
      instants = {
        deletedAt: 0,
        expiredAt: 0,
        storedAt: 0,
        unstoredAt: 0,
        unstoredCall: 0,
        heldUntil: 0,
        latestLoad: 0,
        latestWrite: 0,
        latestBelow: 0,
      };
      this.#instants.set(name, instants);
    }
    return instants;
  }
}
