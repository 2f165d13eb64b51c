/** The events of a {@link HierarchyCacheManager}, those of cache-manager, with what each tells. */
export interface CacheManagerEvents {
  /** A `get` found a value, or failed. */
  get: <T>(data: { key: string; value?: T; error?: unknown; store?: string }) => void;
  mget: <T>(data: { keys: string[]; values?: T[]; error?: unknown }) => void;
  /** A `ttl` found an entry, or failed. */
  ttl: <T>(data: { key: string; value?: RawValue<T>; error?: unknown }) => void;
  /** Comes twice for a value that is stored: for its store, and for all of them. */
  set: <T>(data: { key: string; value: T; error?: unknown; store?: string }) => void;
  mset: <T>(data: { list: CacheManagerEntry<T>[]; error?: unknown }) => void;
  del: (data: { key: string; error?: unknown }) => void;
  mdel: (data: { keys: string[]; error?: unknown }) => void;
  clear: (error?: unknown) => void;
  /** A refresh behind a hit of `wrap` has ended. */
  refresh: <T>(data: { key: string; value: T; error?: unknown }) => void;
}

/** A value with the time at which it expires, in milliseconds since 1970; `undefined` for never. */
export interface RawValue<T> {
  value: T;
  expires: number | undefined;
}

/** One entry of `mset`. */
export interface CacheManagerEntry<T> {
  key: string;
  value: T;
  ttl?: number | undefined;
}
