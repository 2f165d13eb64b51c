import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LevelEntry, WriteOutcome } from '../../lib/levels/cache-level.js';
import { messagePack, type Codec } from '../../lib/redis/codec.js';
import { RecordWriter } from '../../lib/redis/record-writer.js';
import { NotSentError } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { WRITE } from '../../lib/redis/scripts.js';
import type { CacheReport } from '../../lib/report.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };

let clock: VirtualClock;
let nodes: RedisNodes;
let level: RedisLevel;

beforeEach(() => {
  clock = new VirtualClock();
  nodes = new RedisNodes({ clock, isCluster: false, ...NAMES });
  level = newLevel(messagePack());
});

function newLevel(codec: Codec): RedisLevel {
  const driver = new RedisDriver(() => nodes, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  return new RedisLevel({ ...parts, codec }, 'any');
}

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

describe(`${RecordWriter.name}: a codec of your own`, () => {
  let reports: CacheReport[];

  async function write(encode: (value: unknown) => unknown): Promise<Map<string, WriteOutcome>> {
    await level.close();
    reports = [];
    const decode = (bytes: Buffer): string => bytes.toString();
    level = newLevel({ encode, decode } as Codec);
    level.reportTo((what) => void reports.push(what));
    const [bornAt, until] = [clock.now(), clock.now() + 60_000];
    const entry: LevelEntry = { value: 'text', bornAt, freshUntil: until, staleUntil: until };
    return level.write(
      new Map([
        ['one', entry],
        ['two', entry],
      ]),
    );
  }

  it('may make a Uint8Array, a part of a larger buffer too', async () => {
    const encode = (value: unknown): Uint8Array =>
      new TextEncoder().encode(`<<${String(value)}>>`).subarray(2, -2);

    expect([...(await write(encode)).values()]).toEqual(['stored', 'stored']);
    expect((await level.read(['one'])).get('one')?.value).toBe('text');
    expect(reports).toEqual([]);
  });

  it.each([
    ['a string', (value: unknown) => `${String(value)} in secret`, /got one of type string\./],
    ['a promise', async () => Buffer.from('text'), /got a promise\./],
    ['a promise that rejects', () => Promise.reject(new Error('No.')), /got a promise\./],
    ['nothing', () => undefined, /got undefined\./],
  ])(
    'that makes %s has no value stored, at once, which is reported once',
    async (_, encode, got) => {
      // The clock stands still: who waited for it would wait for ever.
      expect([...(await write(encode)).values()]).toEqual(['refused', 'refused']);
      expect(reports).toEqual([
        { code: 'CACHE_CODEC_WITHOUT_BYTES', message: expect.stringMatching(got) },
      ]);
      expect(reports[0]!.message).toContain(
        'must return a Buffer or another Uint8Array from encode',
      );
      expect(reports[0]!.message).not.toContain('secret');
    },
  );
});

describe(`${RecordWriter.name}: a server that is full`, () => {
  const FULL = "OOM command not allowed when used memory > 'maxmemory'.";

  it.each([
    ['7', FULL],
    ['6', `ERR Error running script (call to f_1): @user_script:57: @user_script: 57: -${FULL}`],
  ])('refuses it, which is no failure: Redis %s', async (_, message) => {
    nodes.around = (script, run) => {
      if (script === WRITE) throw new Error(message);
      return run();
    };
    const [bornAt, until] = [clock.now(), clock.now() + 60_000];
    const entry: LevelEntry = { value: 1, bornAt, freshUntil: until, staleUntil: until };

    expect((await level.write(new Map([['key', entry]]))).get('key')).toBe('refused');
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
