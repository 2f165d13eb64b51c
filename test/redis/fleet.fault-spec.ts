import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { sized, tell } from './fault-size.js';
import { pause, type InstanceOptions } from './instance.js';
import { machineNow, Oracle, type Verdict } from './oracle.js';
import { CLIENTS, type ClientName } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { RemoteInstance } from './remote-instance.js';
import { until } from './until.js';

jest.setTimeout(sized(120_000, 240_000));

const PROCESSES = 4;
/** So many ask a cold cache at once. */
const STAMPEDING = 8;
const FUZZ_MS = sized(3_000, 60_000);
/** Deliberately short: a read beyond it is stale however busy the machine is. */
const MAX_STALE_MS = 2_000;
const LEASE_MS = 1_000;
/** How long a process stands still: longer than copies are trusted. */
const STOPPED_MS = sized(4_000, 10_000);
/** The longest pause between two looks at what another process loads. */
const LONGEST_POLL_MS = 300;
/** What a machine that does other things may take beyond that. */
const SLACK_MS = sized(3_000, 100);

let server: RedisServer;
let admin: Redis;
let fleet: RemoteInstance[];
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
  fleet = [];
  await growTo(PROCESSES);
});

afterAll(async () => {
  await Promise.all(fleet.map((instance) => instance.kill()));
  admin.disconnect();
  await server.stop();
});

afterEach(async () => {
  await Promise.all(fleet.map((instance) => instance.close()));
});

async function growTo(processes: number): Promise<void> {
  const missing = Array.from({ length: processes - fleet.length }, () => RemoteInstance.start());
  fleet.push(...(await Promise.all(missing)));
}

async function open(
  kind: InstanceOptions['kind'],
  options: Partial<InstanceOptions> = {},
): Promise<void> {
  const { port } = server;
  const name = `cache-${(names += 1)}`;
  const all = { kind, port, databasePort: port, name, maxStaleMs: MAX_STALE_MS, ...options };
  // Processes of both clients are one fleet.
  const clientAt = (at: number): ClientName => CLIENTS[at % CLIENTS.length]!.name;
  await Promise.all(fleet.map((instance, at) => instance.open({ client: clientAt(at), ...all })));
  await Promise.all(
    fleet.map((instance) => until('copies are proven', () => instance.isProven(), 30_000)),
  );
}

async function heard(): Promise<Oracle> {
  const oracle = new Oracle();
  for (const [at, instance] of fleet.entries()) oracle.hear(`${at}`, await instance.takeSeen());
  return oracle;
}

async function sum(figure: (instance: RemoteInstance) => Promise<number>): Promise<number> {
  const figures = await Promise.all(fleet.map(figure));
  return figures.reduce((all, one) => all + one, 0);
}

describeWithRedis('many processes that read and change the same keys', () => {
  async function fuzz(keys: number, forMs: number): Promise<Verdict> {
    const work = { forMs, readers: 3, keys, changeEveryMs: 10 * PROCESSES };
    await Promise.all(
      fleet.map((instance, at) => instance.work({ ...work, seed: 100 * keys + at })),
    );
    return (await heard()).judge(MAX_STALE_MS);
  }

  it('are found stale without leases', async () => {
    await open('plain', { loadMs: 5 });

    expect((await fuzz(10, 3_000)).staleHere).toBeGreaterThan(0);
  });

  // Of many keys a load and a change meet in a longer run only.
  it.each([
    [1, 1],
    [8, 1],
    [50, sized(0, 1)],
  ])('read nothing stale, with %i keys', async (keys, least) => {
    await open('hierarchy', { loadMs: 15 });
    const verdict = await fuzz(keys, FUZZ_MS);
    const discarded = await sum((instance) => instance.fencedByLevel());
    tell('processes that read and change', { keys, forMs: FUZZ_MS, ...verdict, discarded });

    expect(verdict).toMatchObject({ staleHere: 0, staleElsewhere: 0 });
    expect(verdict.reads).toBeGreaterThan(200);
    expect(verdict.changes).toBeGreaterThan(40);
    expect(discarded).toBeGreaterThanOrEqual(least);
  });
});

describeWithRedis('a process that stands still', () => {
  async function frozen(): Promise<Verdict> {
    const [asleep, awake] = fleet as [RemoteInstance, RemoteInstance];
    const keys = Array.from({ length: 20 }, (_, at) => `key:${at}`);
    for (const key of keys) await asleep.read(key);
    await asleep.takeSeen();
    asleep.signal('SIGSTOP');
    // The server has given its connection up: no message waits for it when it wakes.
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const key of keys) await awake.change(key);
    await pause(STOPPED_MS);
    const reads = Promise.all(keys.map((key) => asleep.read(key)));
    asleep.signal('SIGCONT');
    await reads;
    return (await heard()).judge(MAX_STALE_MS);
  }

  it('is found stale when it goes on without a proof', async () => {
    await open('plain');

    expect((await frozen()).staleElsewhere).toBeGreaterThan(0);
  });

  it.each(CLIENTS)('reads nothing stale when it goes on, through $name', async ({ name }) => {
    await open('hierarchy', { client: name });

    const verdict = await frozen();
    tell('a process that stands still', { name, forMs: STOPPED_MS, ...verdict });

    expect(verdict).toMatchObject({ staleElsewhere: 0 });
  });
});

describeWithRedis('a cold cache that all processes ask at once', () => {
  beforeAll(() => growTo(STAMPEDING));

  async function stampede(): Promise<number> {
    const answers = await Promise.all(fleet.map((instance) => instance.stampede('key', 200, 300)));
    expect(answers.flat()).toEqual(fleet.map(() => 1));
    const loads = await sum((instance) => instance.loads());
    tell('a cold stampede', { processes: fleet.length, callersOfEach: 200, loads });
    return loads;
  }

  it('calls the loader for each caller without leases', async () => {
    await open('plain');

    expect(await stampede()).toBe(200 * STAMPEDING);
  });

  it('calls the loader once', async () => {
    await open('hierarchy');

    expect(await stampede()).toBe(1);
  });

  it('calls the loader once in each process while Redis is down', async () => {
    const own = await RedisServer.start();
    try {
      await open('hierarchy', { port: own.port, levelTimeoutMs: 500 });
      await own.kill();

      const loads = await stampede();
      expect(loads).toBeGreaterThan(0);
      expect(loads).toBeLessThanOrEqual(STAMPEDING);
    } finally {
      await own.stop();
    }
  });
});

describeWithRedis('a process that dies while it loads', () => {
  it('is followed by exactly one other, when its lease has ended', async () => {
    await open('hierarchy', { leaseMs: LEASE_MS, loadMs: 1 });
    const [dying, ...others] = fleet as [RemoteInstance, ...RemoteInstance[]];
    await dying.hang('key');
    const answers = Promise.all(others.map((instance) => instance.read('key')));
    await dying.kill();
    const diedAt = machineNow();

    expect(await answers).toEqual(others.map(() => 0));
    const waitedMs = machineNow() - diedAt;
    fleet = others;
    const loads = await sum((instance) => instance.loads());
    tell('a process that dies while it loads', { leaseMs: LEASE_MS, waitedMs, loads });

    // A lease, a look, and what a busy machine takes.
    expect(waitedMs).toBeLessThan(LEASE_MS + LONGEST_POLL_MS + SLACK_MS);
    expect(loads).toBe(1);
  });
});
