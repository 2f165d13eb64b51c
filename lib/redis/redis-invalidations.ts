import type { Clock } from '../clock.js';
import type { DeleteMode } from '../levels/cache-level.js';
import { ofClear, ofKey, ofTags, originOf } from './change-message.js';
import type { Bucket, KeyLayout } from './key-layout.js';
import { MARK_TTL_MS, newNonce } from './marks.js';
import { RecentChanges, type RecentChange } from './recent-changes.js';
import type { RedisDriver } from './redis-driver.js';
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

  constructor(parts: RedisInvalidationsParts) {
    this.#parts = parts;
    this.#recent = new RecentChanges(parts.clock);
  }

  async delete(keys: readonly string[], mode?: DeleteMode): Promise<void> {
    for (const key of keys) this.noteReplaced(key, mode?.hold);
    await Promise.all(keys.map((key) => this.#delete(key, mode)));
  }

  async invalidateTags(tags: readonly string[], hold?: number): Promise<void> {
    this.#recent.note(ofTags(tags), { kind: 'tags', tags }, hold);
    await this.#invalidateTags(tags, hold);
  }

  /** Removes what begins with `namespace`. */
  async clear(namespace: string): Promise<void> {
    this.#recent.note(ofClear(namespace), { kind: 'clear', prefix: namespace });
    await this.#clear(namespace);
  }

  /** Remembers that what a key had before must not come back. */
  noteReplaced(key: string, holdMs?: number): void {
    this.#recent.note(ofKey(key), { kind: 'key', key }, holdMs);
  }

  /** All servers had everything that they had acknowledged until then. */
  confirm(at: number): void {
    this.#recent.confirm(at);
  }

  /** A server that has lost what it acknowledged is told once more; rejects where it does not take that. */
  async repeat(): Promise<void> {
    await Promise.all(this.#recent.list().map((change) => this.#repeat(change)));
  }

  /** What a script is given to tell the other processes of a change. */
  toldOf(bucket: Bucket, change: string): [change: string, channel: string, origin: string] {
    const { layout, source } = this.#parts;
    return [change, layout.channel, originOf(source, bucket.index)];
  }

  #repeat({ change, heldUntil }: RecentChange): Promise<unknown> {
    const hold = Math.max(0, heldUntil - this.#parts.clock.now());
    if (change.kind === 'key') return this.#delete(change.key, { hold });
    return change.kind === 'tags'
      ? this.#invalidateTags(change.tags, hold)
      : this.#clear(change.prefix);
  }

  #delete(key: string, { hold = 0, expire = false }: DeleteMode = {}): Promise<unknown> {
    const { driver, layout } = this.#parts;
    const bucket = layout.bucketOf(key);
    const names = [bucket.value(key), bucket.lease(key), bucket.counters];
    const mode = [String(Math.ceil(hold)), expire ? '1' : '0'];
    return driver.run(DELETE, names, [...mode, ...this.toldOf(bucket, ofKey(key))]);
  }

  #invalidateTags(tags: readonly string[], hold?: number): Promise<unknown> {
    return this.#replaceMarks((bucket) => tags.map((tag) => bucket.tag(tag)), ofTags(tags), hold);
  }

  #clear(namespace: string): Promise<unknown> {
    return this.#replaceMarks(
      (bucket) => [namespace === '' ? bucket.generation : bucket.namespace(namespace)],
      ofClear(namespace),
    );
  }

  #replaceMarks(marksIn: (bucket: Bucket) => string[], change: string, hold = 0): Promise<unknown> {
    const { driver, layout } = this.#parts;
    const args = [newNonce(), String(Math.ceil(hold)), String(MARK_TTL_MS)];
    return Promise.all(
      layout.buckets.map((bucket) =>
        driver.run(
          INVALIDATE,
          [bucket.counters, ...marksIn(bucket)],
          [...args, ...this.toldOf(bucket, change)],
        ),
      ),
    );
  }
}
