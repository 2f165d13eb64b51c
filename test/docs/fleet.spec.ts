import { describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type IoredisClient } from '../../lib/redis/index.js';
import { read, tableUnder } from './documents.js';
import { namedIn, valueOf } from './options.js';

const page = read('docs/fleet.md');

/** A client without a server, which remembers what it was asked. */
class SilentClient implements IoredisClient {
  readonly asked: unknown[][] = [];

  callBuffer(...command: unknown[]): Promise<unknown> {
    this.asked.push(command);
    return Promise.reject(new Error('There is no server.'));
  }

  duplicate(): unknown {
    return this;
  }

  on(event: string, run: () => void): void {
    if (event === 'ready') queueMicrotask(run);
  }
  subscribe(): Promise<void> {
    return new Promise(() => {});
  }
  disconnect(): void {}
}

describe('the table of the options of redisLevel', () => {
  const rows = tableUnder(page, 'The client');
  const defaults = new Map(rows.map(([option, , value]) => [option, valueOf(value!)]));
  const client = new SilentClient();

  function isAccepted(option: string, value: unknown): boolean {
    try {
      redisLevel({ client, [option]: value });
      return true;
    } catch {
      return false;
    }
  }

  it('has every option', () => {
    const known = namedIn(() => redisLevel({ client, unknown: 1 } as never));

    expect(rows.map(([option]) => option!).toSorted()).toEqual(known);
  });

  it.each(rows.map(([option, type]) => [option!, type!]))(
    'is right about the type of %s: %s',
    (option, type) => {
      expect(isAccepted(option, '5s')).toBe(type === 'Duration' || type === 'name');
      expect(isAccepted(option, 'a name')).toBe(false);
      expect(isAccepted(option, { encode() {}, decode() {} })).toBe(type === 'Codec');
      expect(isAccepted(option, { now() {}, wallNow() {}, setTimer() {} })).toBe(type === 'Clock');
    },
  );

  it('has the defaults', async () => {
    const level = redisLevel({ client });
    const feed = level.follow({ changed() {}, missed() {} });
    await level.read(['key']).catch(() => {});
    const [, , , key] = client.asked[0]!;

    const [, prefix, name] = /^(.*):\{(.*)\//.exec(String(key))!;

    expect([prefix, name]).toEqual([defaults.get('prefix'), defaults.get('name')]);
    expect(feed.maxStaleMs).toBe(defaults.get('maxStale'));
    feed.stop();
    await level.close();
  });
});

describe('the table of the figures of coherence', () => {
  it('has every figure', async () => {
    const cache = new CacheHierarchy({
      remote: redisLevel({ client: new SilentClient() }),
      report: () => {},
    });
    const { coherence } = cache.getMetrics();
    await cache.close();

    expect(tableUnder(page, 'Figures').map(([figure]) => figure)).toEqual(Object.keys(coherence!));
  });
});
