import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LevelEntry, WriteOutcome } from '../../lib/levels/cache-level.js';
import { messagePack } from '../../lib/redis/codec.js';
import { RecordWriter } from '../../lib/redis/record-writer.js';
import { NotSentError } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { WRITE } from '../../lib/redis/scripts.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };

let clock: VirtualClock;
let nodes: RedisNodes;
let level: RedisLevel;

beforeEach(() => {
  clock = new VirtualClock();
  nodes = new RedisNodes({ clock, isCluster: false, ...NAMES });
  const driver = new RedisDriver(() => nodes, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  level = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
});

afterEach(() => level.close());

/** Long enough for a thread to compress it. */
const LONG = 'long '.repeat(20_000);

describe(`${RecordWriter.name}: a long value`, () => {
  async function writesAfter(ms: number): Promise<WriteOutcome | undefined> {
    const [bornAt, until] = [clock.now(), clock.now() + 60_000];
    const entry: LevelEntry = { value: LONG, bornAt, freshUntil: until, staleUntil: until };
    // The time of the server is known, so nothing but the thread is waited for.
    await level.read(['key']);
    const writing = level.write(new Map([['key', entry]]));
    await settleMicrotasks();
    expect(nodes.executed).not.toContain(WRITE);
    clock.block(ms);
    return (await writing).get('key');
  }

  it('is stored, and found', async () => {
    expect(await writesAfter(0)).toBe('stored');
    expect((await level.read(['key'])).get('key')?.value).toBe(LONG);
  });

  it('that is compressed after a second is not stored', async () => {
    expect(await writesAfter(1_001)).toBe('refused');
    expect(await level.read(['key'])).toEqual(new Map());
  });
});

describe(`${RecordWriter.name}: a write that fails`, () => {
  async function settlesAfter(failure: Error): Promise<number> {
    nodes.around = (script, run) => {
      if (script === WRITE) throw failure;
      return run();
    };
    const [bornAt, until] = [clock.now(), clock.now() + 60_000];
    const entry: LevelEntry = { value: 1, bornAt, freshUntil: until, staleUntil: until };
    let settledAt = Infinity;
    const writing = level.write(new Map([['key', entry]])).catch((reason: unknown) => {
      settledAt = clock.now();
      return reason;
    });
    await clock.advance(0);
    await clock.advance(2_000);
    expect(await writing).toBe(failure);
    return settledAt - bornAt;
  }

  it('has failed at once where it was not sent', async () => {
    expect(await settlesAfter(new NotSentError('There is no connection.'))).toBe(0);
  });

  it('has failed at once where Redis has refused it', async () => {
    expect(await settlesAfter(new Error('READONLY You can not write.'))).toBe(0);
  });

  it('has failed after a second, from which on it is not carried out, where nobody knows', async () => {
    expect(await settlesAfter(new Error('The connection has broken.'))).toBe(1_000);
  });
});
