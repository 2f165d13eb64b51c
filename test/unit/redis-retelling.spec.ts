import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import type { ChangeFeed } from '../../lib/levels/change-feed.js';
import { messagePack } from '../../lib/redis/codec.js';
import { BUCKETS, KeyLayout } from '../../lib/redis/key-layout.js';
import type { RedisReply } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { Retelling } from '../../lib/redis/retelling.js';
import { DELETE, INVALIDATE, WRITE } from '../../lib/redis/scripts.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };
const layout = new KeyLayout(NAMES);

let clock: VirtualClock;
let nodes: RedisNodes;
let level: RedisLevel;
let feed: ChangeFeed;

function open(isCluster: boolean): void {
  clock = new VirtualClock();
  nodes = new RedisNodes({ clock, isCluster, ...NAMES });
  const driver = new RedisDriver(() => nodes, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  level = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
  feed = level.follow({ changed: () => {}, missed: () => {} });
}

/** Names in a bucket, or in any. */
function names(count: number, bucket?: number): string[] {
  const found: string[] = [];
  for (let id = 0; found.length < count; id++)
    if (bucket === undefined || layout.indexOf(`name ${id}`) === bucket) found.push(`name ${id}`);
  return found;
}

async function all(changes: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(changes);
  nodes.executed.length = 0;
}

function told(): number {
  return nodes.executed.filter((script) => script === INVALIDATE || script === DELETE).length;
}

/** Carries out so many scripts in so many milliseconds, one after the other. */
function slowDown(count: number, ms: number): void {
  const queue: (() => void)[] = [];
  const work = (): void => {
    for (const run of queue.splice(0, count)) run();
    if (queue.length > 0) clock.setTimer(work, ms);
  };
  nodes.around = (_, run) =>
    new Promise((resolve) => {
      if (queue.push(() => resolve(run())) === 1) clock.setTimer(work, ms);
    });
}

describe(`${Retelling.name} of what a server may have lost`, () => {
  beforeEach(async () => {
    open(false);
    await clock.advance(0);
    expect(feed.isProven()).toBe(true);
  });

  it('comes to an end, however long that takes the server, and tells nothing twice that it took', async () => {
    const namespaces = names(2_000);
    await all(namespaces.map((name) => level.clear(`${name}/`)));
    nodes.runOf(undefined, 'another');
    slowDown(4, 1);
    // It takes 8 s, and an attempt 3.
    await clock.advance(7_000);
    expect(feed.isProven()).toBe(false);
    await clock.advance(5_000);

    expect(feed.isProven()).toBe(true);
    expect(told()).toBe(BUCKETS * namespaces.length);
    feed.stop();
  });

  it('keeps the connection of a server that answers, however slowly', async () => {
    const namespaces = names(200);
    await all(namespaces.map((name) => level.clear(`${name}/`)));
    nodes.runOf(undefined, 'another');
    slowDown(1, 2);
    // A part takes longer than the counts are waited for, and all of it longer than an attempt.
    await clock.advance(20_000);

    expect([feed.isProven(), nodes.ended]).toEqual([true, 0]);
    feed.stop();
  });

  it('makes one of the invalidations of many tags, in each bucket, with the longest hold', async () => {
    const tags = names(2_000);
    await all(tags.map((tag, at) => level.invalidateTags([tag], { hold: at === 0 ? 60_000 : 0 })));
    nodes.runOf(undefined, 'another');
    await clock.advance(1_000);

    expect(told()).toBe((BUCKETS * tags.length) / 50);
    feed.stop();
  });

  it('goes on where a part was not taken', async () => {
    const namespaces = names(200);
    await all(namespaces.map((name) => level.clear(`${name}/`)));
    nodes.runOf(undefined, 'another');
    let refusals = 0;
    nodes.around = (script, run) => {
      if (script !== INVALIDATE || told() < 100 * BUCKETS || refusals > 0) return run();
      refusals += 1;
      throw new Error('BUSY Redis is busy running a script.');
    };
    await clock.advance(1_000);
    await expect(level.read(['key'])).rejects.toThrow('may have lost changes');
    await clock.advance(1_000);

    expect((await level.read(['key'])).size).toBe(0);
    // Of one bucket a part of 50 was told once more.
    expect(told()).toBeLessThan(BUCKETS * namespaces.length + 50);
    feed.stop();
  });

  it('begins anew where the server is replaced meanwhile', async () => {
    const namespaces = names(200);
    await all(namespaces.map((name) => level.clear(`${name}/`)));
    nodes.runOf(undefined, 'another');
    slowDown(1, 1);
    await clock.advance(2_500);
    const before = told();
    nodes.runOf(undefined, 'a third');
    await clock.advance(10_000);

    expect(before).toBeGreaterThan(0);
    expect(told() - before).toBeGreaterThanOrEqual(BUCKETS * namespaces.length);
    expect(feed.isProven()).toBe(true);
    feed.stop();
  });

  it('waits no longer than 3 s for what is never answered', async () => {
    await all([level.clear('')]);
    nodes.runOf(undefined, 'another');
    let lost = 0;
    nodes.around = (script, run) => {
      if (script !== INVALIDATE || lost === BUCKETS) return run();
      lost += 1;
      return new Promise<RedisReply>(() => {});
    };
    await clock.advance(6_000);

    expect(feed.isProven()).toBe(true);
    feed.stop();
  });

  it('clears and holds everything where too much was changed, as long as the longest hold', async () => {
    const keys = names(10_001);
    await all(keys.map((key, at) => level.delete([key], { hold: at === 0 ? 60_000 : 0 })));
    nodes.runOf(undefined, 'another');
    await clock.advance(1_000);
    expect(told()).toBe(BUCKETS);

    const lease = await level.lease('new');
    const token = lease.state === 'load' ? lease.token : undefined;
    const [bornAt, until] = [clock.now(), clock.now() + 60_000];
    const entry: LevelEntry = { value: 1, bornAt, freshUntil: until, staleUntil: until };
    const outcomes = await level.write(new Map([['new', entry]]), new Map([['new', token!]]));
    expect(outcomes.get('new')).toBe('fenced');
    feed.stop();
    await level.close();
  });
});

describe(`${Retelling.name} in a Cluster`, () => {
  it('concerns the buckets whose server was replaced, and waits for no other', async () => {
    open(true);
    await clock.advance(0);
    const [lost, other] = [0, 1].map((bucket) => names(2, bucket)) as [string[], string[]];
    await all([level.delete(lost), level.delete(other), level.invalidateTags(['tag'])]);
    nodes.runOf(lost[0], 'another');
    await clock.advance(1_000);
    expect(nodes.executed.filter((script) => script === DELETE)).toHaveLength(lost.length);
    expect(nodes.executed.filter((script) => script === INVALIDATE)).toHaveLength(1);

    nodes.around = (script, run, bucket) => {
      if (bucket === 0 && (script === DELETE || script === INVALIDATE || script === WRITE))
        throw new Error('BUSY Redis is busy running a script.');
      return run();
    };
    nodes.runOf(lost[0], 'a third');
    await clock.advance(6_000);
    await expect(level.read(lost)).rejects.toThrow('may have lost changes');
    expect((await level.read(other)).size).toBe(0);
    expect([feed.isProven(0), feed.isProven(1)]).toEqual([false, true]);
    feed.stop();
    await level.close();
  });
});
