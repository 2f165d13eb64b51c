import * as fc from 'fast-check';
import type { Release } from '../../lib/memory/key-lock.js';
import type { TestedKeyLock } from '../support/forgetful-key-lock.js';
import { observe, type Observed } from '../support/observed.js';
import type { VirtualClock } from '../support/virtual-clock.js';

/** One step of a random program; `pick` chooses among whoever is in. */
export type Step =
  | { readonly do: 'acquire'; readonly key: string; readonly timeoutMs: number }
  | { readonly do: 'release'; readonly pick: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'grant' };

/** Random programs whose callers wait as long as one of `timeoutsMs` says. */
export function programs(timeoutsMs: readonly number[]): fc.Arbitrary<Step[]> {
  const acquire = fc.record({
    do: fc.constant('acquire' as const),
    key: fc.constantFrom('a', 'b'),
    timeoutMs: fc.constantFrom(...timeoutsMs),
  });
  const release = fc.record({ do: fc.constant('release' as const), pick: fc.nat(20) });
  const advance = fc.record({
    do: fc.constant('advance' as const),
    ms: fc.integer({ min: 1, max: 60 }),
  });
  const grant = fc.constant({ do: 'grant' as const });
  const step = fc.oneof(
    { weight: 5, arbitrary: acquire },
    { weight: 4, arbitrary: release },
    { weight: 2, arbitrary: advance },
    { weight: 2, arbitrary: grant },
  );
  return fc.array(step, { maxLength: 40 });
}

interface Caller {
  readonly id: number;
  readonly key: string;
  readonly deadline: number;
  readonly seen: Observed<Release>;
}

/** What a lock under test is reached through. */
export interface LockUnderTest {
  readonly lock: TestedKeyLock;
  readonly clock: VirtualClock;
  /** Runs the grants that were held back; without it every grant is made at once. */
  readonly grantAll?: () => void;
}

/**
 * Runs a program against a lock and against what a first-in, first-out lock must do: after each step
 * exactly the callers that may be in are in, in the order of their calls, the late ones have got an
 * error, and the lock keeps one entry for each key that is held. Throws at the first difference.
 */
export class LockProgram {
  readonly #subject: LockUnderTest;
  /** For each key who holds it, granted or about to be, and behind it who waits. */
  readonly #queues = new Map<string, Caller[]>();
  readonly #granted = new Set<Caller>();
  readonly #late = new Set<Caller>();
  readonly #callers: Caller[] = [];

  constructor(subject: LockUnderTest) {
    this.#subject = subject;
  }

  async run(program: readonly Step[]): Promise<void> {
    for (const step of program) {
      await this.#do(step);
      this.#check(step);
    }
    await this.#finish();
  }

  async #do(step: Step): Promise<void> {
    if (step.do === 'acquire') this.#acquire(step.key, step.timeoutMs);
    if (step.do === 'release') this.#release([...this.#granted][step.pick % this.#granted.size]);
    if (step.do === 'advance') await this.#advance(step.ms);
    if (step.do === 'grant' || this.#subject.grantAll === undefined) this.#grant();
    await this.#subject.clock.turn();
  }

  #acquire(key: string, timeoutMs: number): void {
    const { lock, clock } = this.#subject;
    const deadline = clock.now() + timeoutMs;
    const seen = observe(lock.acquire(key, timeoutMs));
    const caller = { id: this.#callers.length, key, deadline, seen };
    this.#callers.push(caller);
    const queue = this.#queues.get(key) ?? [];
    if (queue.length === 0) this.#granted.add(caller);
    this.#queues.set(key, [...queue, caller]);
  }

  #release(caller: Caller | undefined): void {
    if (caller === undefined) return;
    caller.seen.value?.();
    this.#granted.delete(caller);
    this.#queues.set(caller.key, this.#queues.get(caller.key)!.slice(1));
  }

  async #advance(ms: number): Promise<void> {
    const { clock } = this.#subject;
    await clock.advance(ms);
    for (const [key, [holder, ...waiting]] of this.#queues) {
      if (holder === undefined) continue;
      const late = waiting.filter(({ deadline }) => deadline <= clock.now());
      for (const caller of late) this.#late.add(caller);
      this.#queues.set(key, [holder, ...waiting.filter((caller) => !late.includes(caller))]);
    }
  }

  #grant(): void {
    this.#subject.grantAll?.();
    for (const [holder] of this.#queues.values()) {
      if (holder !== undefined) this.#granted.add(holder);
    }
  }

  #check(after: Step): void {
    for (const caller of this.#callers) {
      const due = this.#stateOf(caller);
      if (due === undefined || caller.seen.state === due) continue;
      throw new Error(
        `After ${JSON.stringify(after)} caller ${caller.id} is ${caller.seen.state}, not ${due}.`,
      );
    }
    const held = [...this.#queues.values()].filter((queue) => queue.length > 0).length;
    if (this.#subject.lock.size !== held) {
      throw new Error(`The lock has ${this.#subject.lock.size} entries for ${held} keys in use.`);
    }
  }

  /** `undefined` for those who have left. */
  #stateOf(caller: Caller): 'pending' | 'resolved' | 'rejected' | undefined {
    if (this.#late.has(caller)) return 'rejected';
    if (this.#granted.has(caller)) return 'resolved';
    return this.#queues.get(caller.key)?.includes(caller) === true ? 'pending' : undefined;
  }

  /** Lets everybody through: whatever the program left, nothing may remain. */
  async #finish(): Promise<void> {
    while ([...this.#queues.values()].some((queue) => queue.length > 0)) {
      this.#grant();
      await this.#subject.clock.turn();
      this.#check({ do: 'grant' });
      for (const caller of this.#granted) this.#release(caller);
    }
    const { lock, clock } = this.#subject;
    if (lock.size + clock.pending > 0) throw new Error('Something was left behind.');
  }
}
