/** Says of each request whether it was a hit. */
export type Cache = (key: number) => boolean;

/** The share of requests that hit, in percent; of those that count, if that is given. */
export function hitRatio(
  requests: Uint32Array,
  cache: Cache,
  counts: (key: number) => boolean = () => true,
): number {
  let hits = 0;
  let counted = 0;
  for (const key of requests) {
    const hit = cache(key);
    if (!counts(key)) continue;
    counted += 1;
    if (hit) hits += 1;
  }
  return (100 * hits) / counted;
}

/** Least recently used: a `Map` in the order of use. */
export function lru(size: number): Cache {
  const keys = new Map<number, true>();
  return (key) => {
    const hit = keys.delete(key);
    if (!hit && keys.size >= size) keys.delete(keys.keys().next().value!);
    keys.set(key, true);
    return hit;
  };
}

/**
 * Returns the best possible hit ratio, in percent: Belady's algorithm (1966), which evicts the key
 * whose next request is the farthest away, and does not take one in that is farther still. It has to
 * know the future, so no cache reaches it.
 */
export function optimalHitRatio(requests: Uint32Array, size: number): number {
  const next = nextRequests(requests);
  /** For each key that is held, its next request. */
  const held = new Map<number, number>();
  const farthest = new MaxHeap();
  let hits = 0;
  for (const [at, key] of requests.entries()) {
    const nextAt = next[at]!;
    const hit = held.has(key);
    if (hit) hits += 1;
    if (nextAt === Infinity) {
      held.delete(key);
      continue;
    }
    if (!hit && held.size >= size) {
      while (held.get(requests[farthest.top]!) !== farthest.top) farthest.pop();
      if (farthest.top <= nextAt) continue;
      held.delete(requests[farthest.top]!);
      farthest.pop();
    }
    held.set(key, nextAt);
    // A place in the future names its key: it is the request made there.
    farthest.push(nextAt);
  }
  return (100 * hits) / requests.length;
}

/** For each request the next one for the same key; `Infinity` for the last. */
function nextRequests(requests: Uint32Array): Float64Array {
  const next = new Float64Array(requests.length);
  const seen = new Map<number, number>();
  for (let at = requests.length - 1; at >= 0; at--) {
    next[at] = seen.get(requests[at]!) ?? Infinity;
    seen.set(requests[at]!, at);
  }
  return next;
}

/** A binary heap of numbers with the largest on top. */
class MaxHeap {
  readonly #items: number[] = [];

  get top(): number {
    return this.#items[0]!;
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! >= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const item = items.pop()!;
    if (items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! > items[child]!) child += 1;
      if (items[child]! <= item) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
