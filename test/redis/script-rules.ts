import { change, type Rule } from '../interleaving/fence-rules.js';
import { RedisDouble } from '../support/redis-double.js';

/** What the scripts of the Redis level see to, and how the double is made not to. */
export const SCRIPT_RULES: readonly Rule[] = [
  [
    'a load is stored with its lease only',
    () => change(RedisDouble, 'owns', () => (_, lease) => lease !== undefined),
  ],
  [
    'a load is not stored after an invalidation of its tags or namespaces, or of everything',
    () => change(RedisDouble, 'isInvalidated', () => () => false),
  ],
  [
    'a load is not stored with a tag that may have been invalidated before anybody knew it',
    () => change(RedisDouble, 'mayBeInvalidated', () => () => false),
  ],
  [
    'a load is not stored with a tag that is held',
    () => change(RedisDouble, 'isHeld', () => () => false),
  ],
  [
    'a load is not stored when the counters were lost meanwhile',
    () => change(RedisDouble, 'isSameEpoch', () => () => true),
  ],
  [
    'nothing is written that comes too late',
    () => change(RedisDouble, 'isTooLate', () => () => false),
  ],
  ['a lease is one process’s', () => change(RedisDouble, 'isTaken', () => () => false)],
  [
    'a lease is passed on when its load can not be stored any more',
    () => change(RedisDouble, 'isDoomed', () => () => false),
  ],
  [
    'a lease ends by itself',
    () => change(RedisDouble, 'giveLease', (give) => (name, lease) => give(name, lease, 1e9)),
  ],
  ['a change of a key takes its lease', () => change(RedisDouble, 'takeLease', () => () => {})],
  ['a key that is held is not leased', () => change(RedisDouble, 'hold', () => () => {})],
  ['an invalidation replaces the mark', () => change(RedisDouble, 'replaceMark', () => () => {})],
  ['a value ends when it is expired', () => change(RedisDouble, 'expire', () => () => true)],
  [
    'versions of a bucket rise',
    () => change(RedisDouble, 'versionAfter', (_, double) => () => double.micros),
  ],
  [
    'what can not be read is as good as lost',
    () => change(RedisDouble, 'isDigits', () => () => true),
  ],
  ['every change is told', () => change(RedisDouble, 'tell', () => () => {})],
];
