/** What another process has changed in a level that is shared. */
export type LevelChange =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  /** Everything whose key begins with `prefix`. */
  | { readonly kind: 'clear'; readonly prefix: string };

/** Hears what other processes change in a level. */
export interface ChangeListener {
  changed(change: LevelChange): void;
  /** Changes of a group of keys were missed: copies of them may be old. */
  missed(group: number): void;
  /**
   * To be called before a group is proven anew: where this process was suspended everything was missed, which
   * is noted then.
   */
  proving?(): void;
}

/** How far it is known what other processes have changed. */
export interface ChangeFeed {
  /** In so many groups keys are told apart where changes were missed. */
  readonly groups: number;
  /** For how long copies may be served after the last proof, in milliseconds. */
  readonly maxStaleMs: number;
  /** The number of a key's group, from 0. */
  groupOf(key: string): number;
  /**
   * How long ago everything was known, or missed, that had changed until then, in milliseconds; `Infinity`
   * before it ever was. Left out where that is not known.
   */
  provenAgoMs?(): number;
  /**
   * Whether everything is known, or was missed, that had changed `maxStaleMs` before now, or before this turn of
   * the event loop: of a group, or of all.
   */
  isProven(group?: number): boolean;
  stop(): void;
}
