/** How the text of a variable is read: seconds or a unit, a whole number, or true/false/1/0. */
export type SettingKind = 'duration' | 'count' | 'boolean';

/** The option that a variable feeds, as it is written in the options object. */
export type SettingTarget =
  | 'enabled'
  | 'maxWorkers'
  | `${'l1' | 'l2'}.${'ttl' | 'cleanupInterval' | 'maxEntries' | 'numShards' | 'maxWorkers'}`;

/** One environment variable. */
export interface Setting {
  readonly name: string;
  readonly feeds: readonly SettingTarget[];
  readonly kind: SettingKind;
  readonly meaning: string;
}

/**
 * Every environment variable the module reads. Where two feed one option the later row wins. The
 * table in docs/configuration.md has these rows.
 */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'ASYNC_CACHE_TTL',
    feeds: ['l1.ttl'],
    kind: 'duration',
    meaning: 'How long L1 keeps an entry',
  },
  {
    name: 'ASYNC_CACHE_CLEANUP_INTERVAL',
    feeds: ['l1.cleanupInterval'],
    kind: 'duration',
    meaning: 'How often L1 is swept',
  },
  {
    name: 'CACHE_HIERARCHY_L2_TTL',
    feeds: ['l2.ttl'],
    kind: 'duration',
    meaning: 'How long L2 keeps an entry that brings no lifetime of its own',
  },
  {
    name: 'CACHE_HIERARCHY_L2_CLEANUP_INTERVAL',
    feeds: ['l2.cleanupInterval'],
    kind: 'duration',
    meaning: 'How often L2 is swept',
  },
  {
    name: 'CACHE_HIERARCHY_L1_MAX_SIZE',
    feeds: ['l1.maxEntries'],
    kind: 'count',
    meaning: 'How many entries L1 holds at most',
  },
  {
    name: 'CACHE_HIERARCHY_L2_MAX_SIZE',
    feeds: ['l2.maxEntries'],
    kind: 'count',
    meaning: 'How many entries L2 holds at most',
  },
  {
    name: 'ASYNC_CACHE_NUM_SHARDS',
    feeds: ['l1.numShards', 'l2.numShards'],
    kind: 'count',
    meaning: 'Into how many shards each level is divided',
  },
  {
    name: 'CACHE_HIERARCHY_NUM_SHARDS',
    feeds: ['l1.numShards', 'l2.numShards'],
    kind: 'count',
    meaning: 'The same; wins over ASYNC_CACHE_NUM_SHARDS',
  },
  {
    name: 'ASYNC_CACHE_MAX_WORKERS',
    feeds: ['l1.maxWorkers', 'l2.maxWorkers'],
    kind: 'count',
    meaning: 'How many shards advance together in the sweep of one level',
  },
  {
    name: 'CACHE_HIERARCHY_MAX_WORKERS',
    feeds: ['maxWorkers'],
    kind: 'count',
    meaning: 'How many sweeps are in flight over all levels and caches',
  },
  {
    name: 'CACHE_HIERARCHY_ENABLED',
    feeds: ['enabled'],
    kind: 'boolean',
    meaning: 'Whether anything is cached; with false every call loads',
  },
];
