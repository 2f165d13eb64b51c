import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Clock } from '../clock.js';
import { CACHE_CHANNELS, type InvalidatedEvent } from '../hierarchy/cache-events.js';
import type { Activity } from './dashboard-state.js';
import { cutLabel, labelOf } from './shown-text.js';

const MAX_RECENT = 50;
/** So many invalidations of a cache are told one by one between two looks; the rest is one that counts. */
const MAX_SINGLE = 5;
const MAX_TAGS_SHOWN = 20;
const REST = '…';

/** What a {@link RecentActivity} is made of. */
export interface RecentActivityPorts {
  readonly clock: Clock;
  readonly revealKeys: boolean;
  /** Returns what the cache of an event is called, `undefined` for one that is not told of. */
  readonly nameOf: (event: InvalidatedEvent) => string | undefined;
}

/** Invalidations of one kind in one cache since the last look. */
interface Group {
  readonly single: { readonly text: string; readonly activity: Counting }[];
  rest: Counting | undefined;
}

type Counting = Omit<Activity, 'count'> & { count: number };

/** Notes what callers invalidate. However many there are, what is kept and told is bounded. */
export class RecentActivity {
  readonly #ports: RecentActivityPorts;
  #recent: readonly Activity[] = [];
  #groups = new Map<string, Group>();
  /** The groups that had a rest at the last look: while that goes on only their rest is told. */
  #bursts: ReadonlySet<string> = new Set();

  constructor(ports: RecentActivityPorts) {
    this.#ports = ports;
  }

  /** The newest 50, the oldest of them first, as of the last look. */
  get recent(): readonly Activity[] {
    return this.#recent;
  }

  start(): void {
    subscribe(CACHE_CHANNELS.invalidated, this.#note);
  }

  stop(): void {
    unsubscribe(CACHE_CHANNELS.invalidated, this.#note);
  }

  /** Returns what has happened since the last look. */
  look(): readonly Activity[] {
    const groups = [...this.#groups];
    this.#groups = new Map();
    this.#bursts = new Set(groups.filter(([, { rest }]) => rest !== undefined).map(([id]) => id));
    const happened: readonly Activity[] = groups
      .flatMap(([, { single, rest }]) => single.map(({ activity }) => activity).concat(rest ?? []))
      .toSorted((one, other) => one.at - other.at)
      .slice(-MAX_RECENT);
    this.#recent = [...this.#recent, ...happened].slice(-MAX_RECENT);
    return happened;
  }

  readonly #note = (message: unknown): void => {
    const event = message as InvalidatedEvent;
    const cache = this.#ports.nameOf(event);
    if (cache === undefined) return;
    const { kind } = event;
    const id = `${kind} ${cache}`;
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = { single: [], rest: undefined };
      this.#groups.set(id, group);
    }
    const begin = (what: string): Counting => {
      return { at: this.#ports.clock.wallNow(), cache, kind, what, count: 1 };
    };
    if (group.rest !== undefined) {
      group.rest.count += 1;
    } else if (group.single.length === MAX_SINGLE || this.#bursts.has(id)) {
      group.rest = begin(REST);
    } else {
      const text = textOf(event);
      const same = group.single.find((one) => one.text === text);
      if (same !== undefined) same.activity.count += 1;
      else group.single.push({ text, activity: begin(this.#shown(event, text)) });
    }
  };

  #shown({ key, namespace }: InvalidatedEvent, text: string): string {
    return key === undefined ? cutLabel(text) : labelOf(namespace, key, this.#ports.revealKeys);
  }
}

/** Tells invalidations of one kind apart. */
function textOf({ kind, key, namespace, tags }: InvalidatedEvent): string {
  if (kind === 'tags') return tags.slice(0, MAX_TAGS_SHOWN).join(', ');
  return [...namespace, ...(key === undefined ? [] : [key])].join(' > ');
}
