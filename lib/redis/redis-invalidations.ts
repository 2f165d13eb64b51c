import type { Clock } from '../clock.js';
import type { DeleteMode } from '../levels/cache-level.js';
import { ofClear, ofKey, ofTags, toldBy } from './change-message.js';
import type { Bucket, KeyLayout } from './key-layout.js';
import { newNonce } from './marks.js';
import { RecentChanges, type RecentChange } from './recent-changes.js';
import type { RedisDriver } from './redis-driver.js';
import { Retelling } from './retelling.js';
import { DELETE, INVALIDATE } from './scripts.js';

/** What {@link RedisInvalidations} are made of. */
export interface RedisInvalidationsParts {
  readonly driver: Pick<RedisDriver, 'run'>;
  readonly clock: Clock;
  readonly layout: KeyLayout;
  /** What this process is told apart by. */
  readonly source: string;
}

/** Removes what is in Redis, and remembers for a while what was removed or replaced. */
export class RedisInvalidations {
  readonly #parts: RedisInvalidationsParts;
  readonly #recent: RecentChanges;
  /** Tells servers once more what they may have lost. */
  readonly retelling: Retelling;

  constructor(parts: RedisInvalidationsParts) {
    this.#parts = parts;
    this.#recent = new RecentChanges(parts.clock);
    this.retelling = new Retelling({
      ...parts,
      recent: () => this.#recent.list(),
      tell: (bucket, changes) => this.repeat(bucket, changes),
    });
  }

  async delete(keys: readonly string[], mode?: DeleteMode): Promise<void> {
    for (const key of keys) this.noteReplaced(key, mode?.hold);
    await Promise.all(keys.map((key) => this.#delete(key, mode)));
  }

  async invalidateTags(tags: readonly string[], hold?: number): Promise<void> {
    if (tags.length === 0) return;
    this.#recent.note(ofTags(tags), { kind: 'tags', tags }, hold);
    await this.#everywhere((bucket) => this.#invalidateTagsIn(bucket, tags, hold));
  }

  /** Removes what begins with `namespace`. */
  async clear(namespace: string): Promise<void> {
    this.#recent.note(ofClear(namespace), { kind: 'clear', prefix: namespace });
    await this.#everywhere((bucket) => this.#clearIn(bucket, namespace));
  }

  /** Remembers that what a key had before must not come back. */
  noteReplaced(key: string, holdMs?: number): void {
    this.#recent.note(ofKey(key), { kind: 'key', key }, holdMs);
  }

  /** All servers had everything that they had acknowledged until then. */
  confirm(at: number): void {
    this.#recent.confirm(at);
  }

  /**
   * Makes changes of a bucket once more; rejects where the server does not take that. Tags are invalidated by
   * one script, all with the longest of their holds: to hold for longer stores less, and never something old.
   */
  async repeat(bucket: Bucket, changes: readonly RecentChange[]): Promise<void> {
    const now = this.#parts.clock.now();
    const tags = new Set<string>();
    let tagsHold = 0;
    const asked: Promise<unknown>[] = [];
    for (const { change, heldUntil } of changes) {
      const hold = Math.max(0, heldUntil - now);
      if (change.kind === 'key') asked.push(this.#delete(change.key, { hold }));
      else if (change.kind === 'clear') asked.push(this.#clearIn(bucket, change.prefix, hold));
      else {
        for (const tag of change.tags) tags.add(tag);
        tagsHold = Math.max(tagsHold, hold);
      }
    }
    if (tags.size > 0) asked.push(this.#invalidateTagsIn(bucket, [...tags], tagsHold));
    await Promise.all(asked);
  }

  /** What a script is given to tell the other processes of a change. */
  toldOf(bucket: Bucket, change: string): [channel: string, told: string] {
    const { layout, source } = this.#parts;
    return [layout.channel, toldBy(source, bucket.index, change)];
  }

  #everywhere(run: (bucket: Bucket) => Promise<unknown>): Promise<unknown> {
    return Promise.all(this.#parts.layout.buckets.map(run));
  }

  #delete(key: string, { hold = 0, expire = false }: DeleteMode = {}): Promise<unknown> {
    const { driver, layout } = this.#parts;
    const bucket = layout.bucketOf(key);
    const names = [bucket.value(key), bucket.counters, bucket.lease(key)];
    const mode = [String(Math.ceil(hold)), expire ? '1' : '0'];
    return driver.run(DELETE, names, [...mode, ...this.toldOf(bucket, ofKey(key))]);
  }

  #invalidateTagsIn(bucket: Bucket, tags: readonly string[], hold?: number): Promise<unknown> {
    const marks = tags.map((tag) => bucket.tag(tag));
    return this.#replaceMarks(bucket, marks, { change: ofTags(tags), hold });
  }

  #clearIn(bucket: Bucket, namespace: string, hold?: number): Promise<unknown> {
    const mark = namespace === '' ? bucket.generation : bucket.namespace(namespace);
    return this.#replaceMarks(bucket, [mark], { change: ofClear(namespace), hold });
  }

  #replaceMarks(
    bucket: Bucket,
    marks: readonly string[],
    { change, hold = 0 }: { readonly change: string; readonly hold: number | undefined },
  ): Promise<unknown> {
    const args = [newNonce(), String(Math.ceil(hold))];
    return this.#parts.driver.run(
      INVALIDATE,
      [bucket.counters, ...marks],
      [...args, ...this.toldOf(bucket, change)],
    );
  }
}
