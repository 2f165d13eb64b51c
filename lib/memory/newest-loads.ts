import type { Load } from './load.js';
import { loadName } from './load-name.js';
import type { LoadWish } from './load-request.js';

/** For each key, and variant of its loads, the newest: the one that callers find, and may join. */
export class NewestLoads {
  readonly #loads = new Map<string, Load>();

  get size(): number {
    return this.#loads.size;
  }

  find(wish: LoadWish): Load | undefined {
    return this.#loads.get(loadName(wish));
  }

  /** Puts a load where callers find it; one that this displaces is on its own from now on. */
  enter(load: Load): void {
    const name = loadName(load.request);
    this.#loads.get(name)?.detach();
    this.#loads.set(name, load);
  }

  /** Has nobody find the load any more. */
  remove(load: Load): void {
    const name = loadName(load.request);
    if (this.#loads.get(name) === load) this.#loads.delete(name);
  }
}
