import type { Ticket } from './tickets.js';

/** Which loads would do for a caller. */
export interface LoadWish {
  readonly key: string;
  /** Whether only a load that was forced as well answers this caller. */
  readonly forced?: boolean | undefined;
  /** What this load does otherwise than others: only one of the same variant answers this caller. */
  readonly variant?: string | undefined;
}

/** What a caller brings who wants a key loaded. */
export interface LoadRequest<T> extends LoadWish {
  readonly tags?: readonly string[] | undefined;
  /** Loads and stores the value. Called when this caller's load starts: once, or never. */
  readonly load: (load: RunningLoad) => Promise<T>;
  /** Looks whether the value has come to be stored meanwhile. */
  readonly stored?: (() => T | undefined) | undefined;
  /** Ends this caller's wait, not the load, unless nobody else waits for it. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait of this caller, in milliseconds. */
  readonly waitTimeoutMs?: number | undefined;
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
