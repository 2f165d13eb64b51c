import { Coherence } from '../../lib/hierarchy/coherence.js';
import { Invalidations } from '../../lib/hierarchy/invalidations.js';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import type { ChangeMessage } from '../../lib/redis/change-message.js';
import { KnownChanges } from '../../lib/redis/known-changes.js';
import { LeaseKeeper } from '../../lib/redis/lease-keeper.js';
import { RedisChanges } from '../../lib/redis/redis-changes.js';
import { RedisInvalidations } from '../../lib/redis/redis-invalidations.js';
import { EXTEND } from '../../lib/redis/scripts.js';
import { RedisDouble } from '../support/redis-double.js';
import { change, type Rule } from './fence-rules.js';

/** What the scripts decide. */
const RULES_OF_SCRIPTS: readonly Rule[] = [
  [
    'a load is stored with its lease only',
    () => {
      change(RedisDouble, 'owns', () => () => true);
      change(RedisDouble, 'run', (run) => (script, keys, args) => {
        return script === EXTEND ? 0 : run(script, keys, args);
      });
    },
  ],
  [
    'a load is not stored when a tag or namespace was invalidated since its lease',
    () => change(RedisDouble, 'isInvalidated', () => () => false),
  ],
  [
    'a load with a tag that has no mark is not stored when any was invalidated',
    () => change(RedisDouble, 'mayBeInvalidated', () => () => false),
  ],
  [
    'a load that began while a tag was held is not stored',
    () => change(RedisDouble, 'isHeld', () => () => false),
  ],
  [
    'a key that is held is not loaded to be stored',
    () => change(RedisDouble, 'hold', () => () => {}),
  ],
  [
    'whatever changes a key takes its lease away',
    () => change(RedisDouble, 'takeLease', () => () => {}),
  ],
  [
    'a tag, a namespace and everything are ended by another mark',
    () => change(RedisDouble, 'replaceMark', () => () => {}),
  ],
  ['what expires is not fresh any more', () => change(RedisDouble, 'expire', () => () => true)],
];

/** How a process keeps its copies like what others change. */
const RULES_OF_COHERENCE: readonly Rule[] = [
  ['what is heard is carried out', () => change(Invalidations, 'hear', () => () => {})],
  [
    'what was missed makes copies from before misses',
    () => change(Coherence, 'admits', () => () => true),
  ],
  [
    'copies are trusted for maxStale after a proof',
    () => change(RedisChanges, 'isProven', () => () => true),
  ],
  [
    'what is stored without a proof is kept for maxStale',
    () => change(Coherence, 'trustedUntil', () => () => Infinity),
  ],
  [
    'a bucket whose messages have not come is not proven',
    () =>
      change(KnownChanges, 'take', (take, known) => (bucket, counted, asked) => {
        const isLost = take(bucket, counted, asked);
        hearAll(known, { ...counted, bucket, source: '', change: { kind: 'tags', tags: [] } });
        return isLost;
      }),
  ],
  [
    'messages that do not come in a second are missed',
    () => change(KnownChanges, 'giveUp', () => () => {}),
  ],
  [
    'a gap in what is heard was missed',
    () =>
      change(KnownChanges, 'hear', (hear) => (message) => {
        return hearAll({ hear }, message);
      }),
  ],
  [
    'a server that has lost changes is told once more',
    () => change(RedisInvalidations, 'repeat', () => async () => {}),
  ],
  [
    'what is set is told once more, too',
    () => change(RedisInvalidations, 'noteReplaced', () => () => {}),
  ],
];

/** What the cache itself keeps to. */
const RULES_OF_LEVELS: readonly Rule[] = [
  [
    'a level is not read for a key with a delete on its way, or owed',
    () => change(KeyLanes, 'isReadable', () => () => true),
  ],
  ['what is owed is tried again', () => change(KeyLanes, 'retry', () => () => false)],
  [
    'a lease that is not used is given back',
    () =>
      change(LeaseKeeper, 'keep', (keep) => (...what) => {
        return { ...keep(...what), release: () => {} };
      }),
  ],
];

/** Hears of a change as if none before it had been missed. */
function hearAll(known: Pick<KnownChanges, 'hear'>, message: ChangeMessage): boolean {
  let isNew = false;
  for (let count = 1; count <= message.count; count++)
    isNew = known.hear({ ...message, count }) || isNew;
  return isNew;
}

/** The rules that keep a fleet together. */
export const RULES_OF_FLEET: readonly Rule[] = [
  ...RULES_OF_SCRIPTS,
  ...RULES_OF_COHERENCE,
  ...RULES_OF_LEVELS,
];
