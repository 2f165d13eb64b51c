import type { LevelEntry } from '../levels/cache-level.js';
import type { KeyCoordinator } from '../memory/key-coordinator.js';
import type { Storing } from '../memory/storing.js';
import type { Ticket } from '../memory/tickets.js';
import type { CacheEvents } from './cache-events.js';
import type { StorePlan } from './call-options.js';
import type { EntryMaker } from './entry-maker.js';
import type { LevelWalk } from './level-walk.js';
import type { LoadLease } from './load-lease.js';

/** What {@link StoringMaker} is made of. */
export interface StoringMakerPorts {
  readonly walk: LevelWalk;
  readonly entries: EntryMaker;
  readonly events: CacheEvents;
  readonly tickets: Pick<KeyCoordinator, 'isValid'>;
}

/**
 * How values get into the levels: those below, if there are any, are sent the entry first, and those in
 * this process get the same one.
 */
export class StoringMaker {
  readonly #ports: StoringMakerPorts;
  #sets = 0;
  #refused = 0;

  constructor(ports: StoringMakerPorts) {
    this.#ports = ports;
  }

  /** Values of sets and updates that were stored. */
  get sets(): number {
    return this.#sets;
  }

  /** Values that no level has taken. */
  get refused(): number {
    return this.#refused;
  }

  /** How what a loader brings is stored. */
  ofLoad<T>(plan: StorePlan, lease: LoadLease | undefined): Storing<T> {
    return this.#of<T>(plan, { replaces: false, lease }, ({ key }, entry) => {
      if (entry === undefined) return;
      const { walk, events } = this.#ports;
      const isHere = walk.writeNow(key, entry, plan.skip.write);
      if (isHere || walk.hasLower) {
        events.stored(key, entry, 'load');
      } else {
        this.#refused += 1;
        events.loadDiscarded(key, 'refused');
      }
    });
  }

  /** The same for a set or update: what is not to be kept takes the place of the value before all the same. */
  ofWrite<T>(plan: StorePlan): Storing<T> {
    return this.#of<T>(plan, { replaces: true }, ({ key }, entry) => {
      if (entry === undefined) {
        this.#ports.walk.remove(key);
        return;
      }
      const { walk, events } = this.#ports;
      if (walk.writeNow(key, entry) || walk.hasLower) {
        this.#sets += 1;
        events.stored(key, entry, 'write');
      } else {
        this.#refused += 1;
      }
    });
  }

  #of<T>(
    plan: StorePlan,
    { replaces, lease }: { readonly replaces: boolean; readonly lease?: LoadLease | undefined },
    store: (ticket: Ticket, entry: LevelEntry | undefined) => void,
  ): Storing<T> {
    const { walk, entries, tickets } = this.#ports;
    if (!walk.hasLower)
      return { store: (value, ticket) => store(ticket, entries.fresh(value, ticket, plan)) };
    let entry: LevelEntry | undefined;
    return {
      send: async (value, ticket) => {
        entry = entries.fresh(value, ticket, plan);
        if (entry === undefined) return true;
        if (lease?.isHeld === true) return false;
        const wanted = (): boolean => tickets.isValid(ticket);
        const terms = { wanted, replaces, token: lease?.token };
        return walk.send(ticket.key, entry, plan.skip.write, terms);
      },
      store: (_, ticket) => store(ticket, entry),
    };
  }
}
