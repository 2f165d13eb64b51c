import { Redis } from 'ioredis';
import { randomFrom, type Random } from '../support/random.js';
import { Instance, pause } from './instance.js';
import { Link } from './link.js';
import { machineNow, Oracle, type Verdict } from './oracle.js';
import { CLIENTS } from './redis-clients.js';
import { RedisServer } from './redis-server.js';
import { until } from './until.js';

/** How a soak is run. */
export interface SoakOptions {
  readonly seed: number;
  /** For how long something breaks, in milliseconds; then everything is to come back. */
  readonly forMs: number;
  readonly kind?: 'hierarchy' | 'plain';
}

/** What came of a soak. */
export interface SoakReport extends Verdict {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Reads of other versions than the database's, after everything had come back. */
  readonly oldAtTheEnd: number;
  /** The listeners of each instance's clients, before anything broke, and after everything had come back. */
  readonly listeners: Readonly<Record<'before' | 'after', readonly string[]>>;
}

/** What can be broken. */
interface Stage {
  readonly random: Random;
  readonly server: RedisServer;
  readonly links: readonly Link[];
  readonly command: (...parts: [string, ...string[]]) => Promise<unknown>;
}

const INSTANCES = 3;
const KEYS = 12;
const MAX_STALE_MS = 2_000;

const FAULTS: Record<string, (stage: Stage) => Promise<unknown>> = {
  'breaks subscriptions': ({ command }) => command('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  'breaks connections': ({ command }) => command('CLIENT', 'KILL', 'TYPE', 'normal'),
  async 'cuts an instance off'({ random, links }) {
    const link = random.pick(links);
    link.cut();
    await pause(random.below(2 * MAX_STALE_MS));
    link.mend();
  },
  'loses everything': ({ command }) => command('FLUSHALL'),
  async 'loses a key'({ random, command }) {
    const keys = (await command('KEYS', 'cache:*')) as string[];
    if (keys.length > 0) await command('DEL', random.pick(keys));
  },
  async 'stops the server'({ random, server }) {
    server.signal('SIGSTOP');
    await pause(random.below(1_500));
    server.signal('SIGCONT');
  },
  async 'kills the server'({ random, server }) {
    await server.kill();
    await pause(random.below(1_000));
    await server.run();
  },
  async 'fills the memory'({ random, command }) {
    await command('CONFIG', 'SET', 'maxmemory', '1');
    await pause(random.below(1_000));
    await command('CONFIG', 'SET', 'maxmemory', '0');
  },
};

/**
 * Has instances read and change the same keys while something breaks all the time, as a seed says. No read
 * may be stale, and when everything has come back all instances have what the database has.
 */
export async function soak({ seed, forMs, kind = 'hierarchy' }: SoakOptions): Promise<SoakReport> {
  const random = randomFrom(seed);
  const [server, database] = [await RedisServer.start(), await RedisServer.start()];
  const links = await Promise.all(
    Array.from({ length: INSTANCES }, (_, at) =>
      Link.to(server.port, { jitterMs: 3, random: randomFrom(seed + at) }),
    ),
  );
  const instances = await Promise.all(
    links.map(({ port }, at) =>
      Instance.open({
        kind,
        client: CLIENTS[at % CLIENTS.length]!.name,
        port,
        databasePort: database.port,
        name: 'soak',
        maxStaleMs: MAX_STALE_MS,
        levelTimeoutMs: 500,
        loadMs: 5,
      }),
    ),
  );
  const listenersNow = (): string[] => instances.flatMap((instance) => instance.listeners());
  try {
    await allAreProven(instances);
    const before = listenersNow();
    const work = { forMs, readers: 3, keys: KEYS, changeEveryMs: 20, deletesOnly: true };
    const working = instances.map((instance, at) => instance.work({ ...work, seed: seed + at }));
    const command: Stage['command'] = (...parts) => commandOf(server.port, parts);
    const faults = breakThings({ random, server, links, command }, forMs);
    await Promise.all([...working, faults]);
    const oldAtTheEnd = await countOld(instances);
    // One that is being made anew just now has fewer.
    await until('all are connected', () => listenersNow().length === before.length);
    const listeners = { before, after: listenersNow() };
    const oracle = new Oracle();
    for (const [at, instance] of instances.entries()) oracle.hear(`${at}`, instance.takeSeen());
    const verdict = oracle.judge(MAX_STALE_MS);
    return { seed, faults: await faults, ...verdict, oldAtTheEnd, listeners };
  } finally {
    await Promise.all(instances.map((instance) => instance.close()));
    for (const link of links) link.close();
    await Promise.all([server.stop(), database.stop()]);
  }
}

function allAreProven(instances: readonly Instance[]): Promise<void> {
  return until('copies are proven', () => instances.every((instance) => instance.isProven()));
}

async function breakThings(stage: Stage, forMs: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const endsAt = machineNow() + forMs;
  while (machineNow() < endsAt) {
    await pause(stage.random.below(600));
    const fault = stage.random.pick(Object.keys(FAULTS));
    counts[fault] = (counts[fault] ?? 0) + 1;
    await FAULTS[fault]!(stage);
  }
  return counts;
}

/** Sends one command on a connection of its own: others are being broken. */
async function commandOf(
  port: number,
  [command, ...args]: [string, ...string[]],
): Promise<unknown> {
  const client = new Redis(port, { retryStrategy: () => 50 });
  client.on('error', () => {});
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** Waits until every instance has caught up, and returns how many reads are older than the database. */
async function countOld(instances: readonly Instance[]): Promise<number> {
  const keys = Array.from({ length: KEYS }, (_, at) => `key:${at}`);
  // One more change of each key shows what the database has.
  const versions = await Promise.all(keys.map((key) => instances[0]!.change(key)));
  for (const instance of instances) {
    await until(
      'every instance has caught up',
      async () => {
        // Whoever reads sees that the level is back.
        await instance.read('probe');
        return instance.isProven() && instance.owes() === 0;
      },
      60_000,
    );
  }
  await pause(MAX_STALE_MS);
  let old = 0;
  for (const instance of instances) {
    const read = await Promise.all(keys.map((key) => instance.read(key)));
    old += read.filter((version, at) => version !== versions[at]).length;
  }
  return old;
}
