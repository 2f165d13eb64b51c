import type { AsyncResource } from 'node:async_hooks';
import type { LoadChains } from './load-chains.js';
import type { Ticket } from './tickets.js';

/** What a caller brings who wants a key loaded. */
export interface LoadRequest<T> {
  readonly key: string;
  readonly tags?: readonly string[] | undefined;
  /** Loads and stores the value. Called when this caller's load starts: once, or never. */
  readonly load: (load: RunningLoad) => Promise<T>;
  /** Looks whether the value has come to be stored meanwhile. */
  readonly stored?: (() => T | undefined) | undefined;
  /** Ends this caller's wait, not the load, unless nobody else waits for it. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait of this caller, in milliseconds. */
  readonly waitTimeoutMs?: number | undefined;
  /** Whether only a load that was forced as well answers this caller. */
  readonly forced?: boolean | undefined;
  /** What this load does otherwise than others: only one of the same variant answers this caller. */
  readonly variant?: string | undefined;
  /** How long this load may keep its callers while there is a `fallback`, in milliseconds. */
  readonly softTimeoutMs?: number | undefined;
  /** How long this load may keep its callers at all, in milliseconds. */
  readonly hardTimeoutMs?: number | undefined;
  /** What so many callers are answered with while there is no better; `undefined` for nothing. */
  readonly fallback?: ((callers: number) => T | undefined) | undefined;
  /** The same where the load has failed. */
  readonly recover?: ((error: unknown, callers: number) => T | undefined) | undefined;
  /** Hears that a load has failed whose value was still wanted. */
  readonly noteFailure?: ((error: unknown) => void) | undefined;
  /** Hears that a load took longer than `hardTimeoutMs` whose value was still wanted. */
  readonly noteTimeout?: (() => void) | undefined;
}

/** A load under way, as the code that carries it out sees it. */
export interface RunningLoad {
  readonly ticket: Ticket;
  /** Aborted when every caller has stopped waiting, or the load has taken too long. */
  readonly signal: AbortSignal;
  /** Whether the loader runs and has not waited yet: what it asks of its own key is refused. */
  calling: boolean;
  /** How many callers wait for it now. */
  readonly callers: number;
  /** What its loader brought, while it is being stored. */
  brought: { readonly value: unknown } | undefined;
  /**
   * Calls the loader of this load, or of all `together`, refusing what it asks of its own keys before
   * it first waits.
   */
  call<R>(loader: () => R, together?: readonly RunningLoad[]): R;
  /** Whether the signal is aborted; does not make one. */
  readonly aborted: boolean;
  /** Throws the reason once the signal is aborted. */
  throwIfAborted(): void;
  /** Calls `run` when the key can do without this load: another took its place, or it took too long. */
  onDetached(run: () => void): void;
}

/** Where the callers of a key meet: the newest load, and how often it had to be replaced. */
export interface Place {
  load: Load | undefined;
  replacements: number;
  exhausted: boolean;
}

/** A caller who waits for a load, and moves from one to the next if it must. */
export interface Waiter {
  readonly request: LoadRequest<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The one this caller waits for now. */
  load: Load | undefined;
  /** The invalidation order at the call: nothing that was ended before may answer it. */
  readonly order: number;
  /** The asynchronous context of the call, of one who joined a load and may have to start one. */
  context: AsyncResource | undefined;
  /** When the patience with another caller's load ends; infinite for who started the load. */
  patientUntil: number;
  /** How many loads of others this caller may still wait for. */
  patience: number;
  /** Forgets the caller's signal and timeout. */
  stopListening: () => void;
}

/** A load under way, with everybody who waits for it. */
export class Load implements RunningLoad {
  /** In the order in which they joined, so the first follower is the first to lose patience. */
  readonly waiters = new Set<Waiter>();
  calling = false;
  /** Whether it goes on when nobody waits for it. */
  behind = false;
  /** Whether it has kept its callers longer than it may while there is another answer. */
  late = false;
  /** Whether it has kept them longer than it may at all. */
  givenUp = false;
  brought: { readonly value: unknown } | undefined;
  cancelPatience: (() => void) | undefined;
  /** Forgets the load's own timeouts. */
  cancelTimeouts: () => void = () => {};
  readonly forced: boolean;
  readonly variant: string | undefined;
  readonly #chains: LoadChains;
  #controller: AbortController | undefined;
  #abortReason: { readonly reason: unknown } | undefined;
  readonly #detached: (() => void)[] = [];
  #isDetached = false;

  constructor(
    readonly ticket: Ticket,
    readonly place: Place,
    { forced = false, variant }: Pick<LoadRequest<unknown>, 'forced' | 'variant'>,
    chains: LoadChains,
  ) {
    this.#chains = chains;
    this.forced = forced;
    this.variant = variant;
  }

  get callers(): number {
    return this.waiters.size;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason.reason);
    return this.#controller.signal;
  }

  call<R>(loader: () => R, together: readonly RunningLoad[] = [this]): R {
    for (const load of together) load.calling = true;
    try {
      return this.#chains.run(() => together.map(({ ticket }) => ticket.key), loader);
    } finally {
      for (const load of together) load.calling = false;
    }
  }

  abort(reason: unknown): void {
    this.#abortReason = { reason };
    this.detach();
    this.#controller?.abort(reason);
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  throwIfAborted(): void {
    if (this.#abortReason !== undefined) throw this.signal.reason;
  }

  onDetached(run: () => void): void {
    if (this.#isDetached) run();
    else this.#detached.push(run);
  }

  /** Notes that the key can do without it. */
  detach(): void {
    this.#isDetached = true;
    for (const run of this.#detached.splice(0)) run();
  }
}
