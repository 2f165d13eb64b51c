import type { Ticket } from './tickets.js';

/** How a value is stored. */
export interface Storing<T> {
  /**
   * Sends it to where storing takes time, before it is stored here; settles with whether it may be.
   * Never rejects. Left out where nothing takes time.
   */
  readonly send?: ((value: T, ticket: Ticket) => Promise<boolean>) | undefined;
  /** Stores it here, in the call. */
  readonly store: (value: T, ticket: Ticket) => void;
}
