import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { systemClock } from '../../lib/clock.js';
import { connectLike } from '../../lib/redis/redis-client.js';
import { RedisDriver, type Subscription } from '../../lib/redis/redis-driver.js';
import { RedisDouble } from '../support/redis-double.js';
import { shareOf } from '../support/search-share.js';
import { MANY_MINUTES, SeededSearch } from '../support/seeded-search.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { ScriptComparison } from './script-comparison.js';
import { SCRIPT_RULES } from './script-rules.js';

/** To replay a comparison: FENCE_SEED=<seed> npm test -- redis-double. */
const search = new SeededSearch('FENCE_SEED');
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
  driver = new RedisDriver(connectLike(client)!, systemClock);
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
function compare(sequences: number): Promise<string[]> {
  const attempt = async (seed: number): Promise<string | undefined> => {
    const command = (name: string, ...args: string[]): Promise<unknown> =>
      client.call(name, ...args);
    await client.flushall();
    heard.length = 0;
    runs += 1;
    return new ScriptComparison(seed, { driver, command }).run(STEPS, heard);
  };
  return search.violations(sequences, attempt, 1);
}

describeWithRedis(RedisDouble.name, () => {
  it(
    'answers, tells and keeps what a real server does',
    async () => {
      expect(await compare(shareOf(SEQUENCES))).toEqual([]);
      expect(runs).toBeGreaterThan(0);
    },
    MANY_MINUTES,
  );

  (search.only === undefined ? it : it.skip).each(SCRIPT_RULES)(
    'is told apart from one that does not keep to it: %s',
    async (_, switchOff) => {
      switchOff();

      expect(await compare(SEQUENCES)).not.toEqual([]);
    },
    MANY_MINUTES,
  );
});
