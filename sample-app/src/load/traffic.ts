/** A request of the load, as fetch takes it. */
export interface LoadRequest {
  readonly path: string;
  readonly method: 'GET' | 'PATCH';
  readonly body?: string;
}

/** What the traffic needs to know of a place. */
export interface KnownPlace {
  readonly id: number;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly country: string;
}

/** Parts of names that many cities have: what people look for, and how the load learns of places. */
export const NAMES = [
  'san',
  'new',
  'bad',
  'saint',
  'port',
  'villa',
  'santa',
  'berg',
  'wood',
  'burg',
  'grad',
  'pur',
  'abad',
  'ville',
  'ton',
  'field',
  'ford',
  'kirch',
  'monte',
  'castel',
];

/** So many points are asked what is near them: each costs the database a look at every row. */
const POINTS = 8;

/**
 * Makes requests as a site of places would get them: many for one place, few of which many people want;
 * some for searches, what is near and countries; now and then a change, which invalidates what it touches.
 */
export class Traffic {
  readonly #places: readonly KnownPlace[];
  readonly #random: () => number;

  /** @param random from 0 to below 1 */
  constructor(places: readonly KnownPlace[], random: () => number = Math.random) {
    this.#places = places;
    this.#random = random;
  }

  /** Returns the next request. */
  next(): LoadRequest {
    const share = this.#random();
    if (share < 0.94) return get(`/places/${this.#popular(this.#places).id}`);
    if (share < 0.97) return get(`/search?q=${this.#popular(NAMES)}`);
    if (share < 0.99) {
      const { latitude, longitude } = this.#popular(this.#places.slice(0, POINTS));
      return get(`/nearest?lat=${latitude.toFixed(2)}&lon=${longitude.toFixed(2)}`);
    }
    return get(`/statistics/${this.#popular(this.#places).country}`);
  }

  /** Returns a change of a place that leaves it as it is: what it is about is what the cache does. */
  change(): LoadRequest {
    const { id, population } = this.#popular(this.#places);
    return { path: `/places/${id}`, method: 'PATCH', body: JSON.stringify({ population }) };
  }

  /** The first of a list are wanted far more often than the last: one in sixteen gets half of the requests. */
  #popular<T>(list: readonly T[]): T {
    return list[Math.floor(list.length * this.#random() ** 4)]!;
  }
}

function get(path: string): LoadRequest {
  return { path, method: 'GET' };
}
