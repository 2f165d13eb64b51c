/** Milliseconds on a clock that all processes of a machine share, and that never goes back. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A read of a key, and which version of the database it has given. */
export interface ReadSeen {
  readonly kind: 'read';
  readonly key: string;
  readonly version: number;
  readonly invokedAt: number;
}

/** A new version of a key in the database whose invalidation has resolved. */
export interface ChangeSeen {
  readonly kind: 'change';
  readonly key: string;
  readonly version: number;
  readonly resolvedAt: number;
  /** Whether the shared level had carried the invalidation out by then. */
  readonly applied: boolean;
}

export type Seen = ReadSeen | ChangeSeen;

/** What an {@link Oracle} says of all that it was told. */
export interface Verdict {
  readonly reads: number;
  readonly changes: number;
  /** Reads that gave a version from before an invalidation that the same process had seen resolve. */
  readonly staleHere: number;
  /** Those that gave one from before an invalidation that had resolved anywhere, longer ago than the bound. */
  readonly staleElsewhere: number;
  /** For how long after an invalidation had resolved elsewhere a read still gave an older version. */
  readonly worstMs: number;
}

/** The earliest time at which an invalidation of each version, or of a later one, had resolved. */
class Resolved {
  readonly #versions: number[];
  readonly #earliest: number[];

  constructor(changes: readonly ChangeSeen[]) {
    const sorted = changes.toSorted((one, other) => one.version - other.version);
    this.#versions = sorted.map(({ version }) => version);
    this.#earliest = sorted.map(({ resolvedAt }) => resolvedAt);
    for (let at = sorted.length - 2; at >= 0; at--)
      this.#earliest[at] = Math.min(this.#earliest[at]!, this.#earliest[at + 1]!);
  }

  /** For how long a read has given something older than it should; 0 for none. */
  stalenessOf({ version, invokedAt }: ReadSeen): number {
    let [low, high] = [0, this.#versions.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#versions[middle]! > version) high = middle;
      else low = middle + 1;
    }
    return Math.max(0, invokedAt - (this.#earliest[low] ?? Infinity));
  }
}

/**
 * Judges what processes have read against what they have changed: a read is stale that was called after the
 * invalidation of a version had resolved, and gives an older one.
 */
export class Oracle {
  readonly #seen = new Map<string, Seen[]>();

  /** Takes what one process has done; in its own order. */
  hear(processName: string, seen: readonly Seen[]): void {
    const own = this.#seen.get(processName) ?? [];
    for (const one of seen) own.push(one);
    this.#seen.set(processName, own);
  }

  /** @param boundMs for how long processes may serve what another one has invalidated */
  judge(boundMs: number): Verdict {
    const all = [...this.#seen.values()].flat();
    const applied = byKey(all.filter((one) => one.kind === 'change' && one.applied));
    let [reads, staleHere, staleElsewhere, worstMs] = [0, 0, 0, 0];
    for (const own of this.#seen.values()) {
      const here = byKey(own);
      for (const read of own) {
        if (read.kind !== 'read') continue;
        reads += 1;
        if ((here.get(read.key)?.stalenessOf(read) ?? 0) > 0) staleHere += 1;
        const staleMs = applied.get(read.key)?.stalenessOf(read) ?? 0;
        if (staleMs > boundMs) staleElsewhere += 1;
        worstMs = Math.max(worstMs, staleMs);
      }
    }
    return { reads, changes: all.length - reads, staleHere, staleElsewhere, worstMs };
  }
}

function byKey(seen: readonly Seen[]): Map<string, Resolved> {
  const changes = new Map<string, ChangeSeen[]>();
  for (const one of seen) {
    if (one.kind !== 'change') continue;
    const own = changes.get(one.key);
    if (own === undefined) changes.set(one.key, [one]);
    else own.push(one);
  }
  return new Map([...changes].map(([key, own]) => [key, new Resolved(own)]));
}
