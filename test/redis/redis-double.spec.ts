import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { connectLike } from '../../lib/redis/redis-client.js';
import { RedisDriver, type Subscription } from '../../lib/redis/redis-driver.js';
import { RedisDouble } from '../support/redis-double.js';
import { shareOf } from '../support/search-share.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { ScriptComparison } from './script-comparison.js';
import { SCRIPT_RULES } from './script-rules.js';

/** To replay a comparison: FENCE_SEED=<seed> npm test -- redis-double. */
const onlySeed = process.env['FENCE_SEED'];
const SEQUENCES = 250;
const STEPS = 30;

let server: RedisServer;
let client: Redis;
let driver: RedisDriver;
let subscription: Subscription;
const heard: string[] = [];
let runs = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  client = new Redis(server.port);
  driver = new RedisDriver(connectLike(client)!, { now: () => performance.now() });
  subscription = driver.subscribe('changes', (message) => heard.push(message));
  await subscription.ready;
});

afterAll(async () => {
  client.disconnect();
  subscription.end();
  driver.close();
  await server.stop();
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** Returns the first difference. */
async function compare(sequences: number): Promise<string | undefined> {
  const seeds =
    onlySeed === undefined
      ? Array.from({ length: sequences }, (_, index) => index + 1)
      : [Number(onlySeed)];
  for (const seed of seeds) {
    const command = (name: string, ...args: string[]): Promise<unknown> =>
      client.call(name, ...args);
    await client.flushall();
    heard.length = 0;
    const comparison = new ScriptComparison(seed, { driver, command });
    const problem = await comparison.run(STEPS, heard);
    if (problem !== undefined) return `FENCE_SEED=${seed}: ${problem}`;
    runs += 1;
  }
  return undefined;
}

describeWithRedis(RedisDouble.name, () => {
  it('answers, tells and keeps what a real server does', async () => {
    expect(await compare(shareOf(SEQUENCES))).toBeUndefined();
    expect(runs).toBeGreaterThan(0);
  }, 60_000);

  (onlySeed === undefined ? it : it.skip).each(SCRIPT_RULES)(
    'is told apart from one that does not keep to it: %s',
    async (_, switchOff) => {
      switchOff();

      expect(await compare(SEQUENCES)).toBeDefined();
    },
    60_000,
  );
});
