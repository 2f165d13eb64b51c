import { Redis } from 'ioredis';
import { until } from './until.js';
import { RedisServer } from './redis-server.js';

const NODES = 3;
const SLOTS = 16_384;
/** The bus of a node is on the port 10,000 above its own. */
const HIGHEST_PORT = 55_535;

/** Three masters, without replicas, that share the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const cluster = new RedisCluster(await Promise.all(Array.from({ length: NODES }, startNode)));
    await cluster.#join();
    return cluster;
  }

  get ports(): readonly number[] {
    return this.nodes.map(({ port }) => port);
  }

  /** Runs a command on each node that is there. */
  async onEach<T>(run: (node: Redis) => Promise<T>): Promise<T[]> {
    return Promise.all(this.nodes.map((node) => on(node, run)));
  }

  /**
   * Moves the slot of a key to the next node, key by key, while it is in use.
   *
   * @param between called when all keys have moved, and the slot has not
   */
  async moveSlotOf(key: string, between?: () => Promise<void>): Promise<void> {
    const ids = await this.onEach(async (node) => String(await node.call('CLUSTER', 'MYID')));
    const slot = Number(await on(this.nodes[0]!, (node) => node.call('CLUSTER', 'KEYSLOT', key)));
    const ranges = await on(this.nodes[0]!, (node) => node.cluster('SLOTS'));
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)!;
    const from = this.ports.indexOf(range[2]![1]);
    const to = (from + 1) % NODES;
    const [source, target] = [this.nodes[from]!, this.nodes[to]!];
    await on(target, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!));
    await on(source, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!));
    await on(source, async (node) => {
      for (;;) {
        const keys = (await node.call('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
        if (keys.length === 0) return;
        await node.call('MIGRATE', '127.0.0.1', target.port, '', 0, 5_000, 'KEYS', ...keys);
      }
    });
    await between?.();
    for (const owner of [target, source, ...this.nodes])
      await on(owner, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!));
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #join(): Promise<void> {
    const [first] = this.ports;
    for (const [index, node] of this.nodes.entries()) {
      const from = Math.ceil((index * SLOTS) / NODES);
      const to = Math.ceil(((index + 1) * SLOTS) / NODES) - 1;
      await on(node, async (redis) => {
        await redis.cluster('ADDSLOTSRANGE', from, to);
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
        await redis.cluster('MEET', '127.0.0.1', first!);
      });
    }
    await until('the nodes are one cluster', async () => {
      const infos = await this.onEach(async (redis) => redis.cluster('INFO'));
      return infos.every(
        (info) =>
          info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`),
      );
    });
  }
}

/** Begins again where a port was given that has no place for the bus. */
async function startNode(): Promise<RedisServer> {
  const server = await RedisServer.start(
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    // A master that has died takes only its own slots with it.
    '--cluster-require-full-coverage',
    'no',
  );
  if (server.port <= HIGHEST_PORT) return server;
  await server.stop();
  return startNode();
}

async function on<T>({ port }: RedisServer, run: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host: '127.0.0.1' });
  try {
    return await run(redis);
  } finally {
    redis.disconnect();
  }
}
