import { expect, it, jest } from '@jest/globals';
import { collectGarbage } from './garbage.js';
import { describeWithRedis } from './redis-server.js';
import { soak, type SoakReport } from './soak.js';
import { until } from './until.js';

/** `npm run soak` says for how long; without it there is one short soak. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 0);
/** The seed of the first soak, the next ones count from there. What has failed prints its own. */
const SEED = Number(process.env['SOAK_SEED'] ?? (SECONDS > 0 ? Date.now() % 1e6 : 2));

jest.setTimeout(120_000 + 1_000 * SECONDS);

/** So many soaks after the first two say whether memory grows. */
const MEASURED_ROUNDS = 5;

interface Heap {
  readonly minutes: number;
  readonly megabytes: number;
}

function heapNow(): Heap {
  collectGarbage();
  return {
    minutes: performance.now() / 60_000,
    megabytes: process.memoryUsage().heapUsed / 2 ** 20,
  };
}

/** The least squares' slope, in megabytes a minute. */
function slopeOf(heaps: readonly Heap[]): number {
  const mean = (of: (heap: Heap) => number): number =>
    heaps.reduce((sum, heap) => sum + of(heap), 0) / heaps.length;
  const [at, size] = [mean(({ minutes }) => minutes), mean(({ megabytes }) => megabytes)];
  const spread = mean(({ minutes }) => (minutes - at) ** 2);
  return mean(({ minutes, megabytes }) => (minutes - at) * (megabytes - size)) / spread;
}

/** What keeps this process alive beside what did before. */
function openedSince(before: readonly string[]): string[] {
  const opened = process.getActiveResourcesInfo();
  for (const kind of before) {
    const at = opened.indexOf(kind);
    if (at >= 0) opened.splice(at, 1);
  }
  return opened;
}

function expectSound(report: SoakReport): void {
  expect(report).toMatchObject({
    staleHere: 0,
    staleElsewhere: 0,
    oldAtTheEnd: 0,
  });
  expect(report.changes).toBeGreaterThan(100);
  // One client for commands, and one that listens, of each of three instances.
  expect(report.listeners.before).toHaveLength(2 * 3);
  expect(report.listeners.after).toEqual(report.listeners.before);
}

describeWithRedis('caches over a Redis that breaks all the time', () => {
  it('are found stale where nothing is done about it', async () => {
    const { staleHere, staleElsewhere } = await soak({ seed: 1, forMs: 5_000, kind: 'plain' });

    expect(staleHere + staleElsewhere).toBeGreaterThan(0);
  });

  it('read nothing stale, and have what the database has when it is back', async () => {
    const endsAt = performance.now() + 1_000 * SECONDS;
    let seed = SEED;
    const heaps: Heap[] = [];
    do {
      const before = process.getActiveResourcesInfo();
      const report = await soak({ seed, forMs: 15_000 });
      heaps.push(heapNow());
      const told = { ...report, listeners: undefined, ...heaps.at(-1) };
      if (SECONDS > 0) process.stdout.write(`${JSON.stringify(told)}\n`);
      expectSound(report);
      await until('nothing is left open', () => openedSince(before).length === 0).catch(() => {});
      expect(openedSince(before)).toEqual([]);
      seed += 1;
    } while (performance.now() < endsAt);
    const warm = heaps.slice(2);
    if (warm.length < MEASURED_ROUNDS) return;
    process.stdout.write(`heap: ${slopeOf(warm).toFixed(2)} MB a minute\n`);
    expect(slopeOf(warm)).toBeLessThan(1);
  });
});
