import { expect, it, jest } from '@jest/globals';
import { describeWithRedis } from './redis-server.js';
import { soak, type SoakReport } from './soak.js';

/** `npm run soak` says for how long; without it there is one short soak. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 0);
/** The seed of the first soak, the next ones count from there. What has failed prints its own. */
const SEED = Number(process.env['SOAK_SEED'] ?? (SECONDS > 0 ? Date.now() % 1e6 : 2));

jest.setTimeout(120_000 + 1_000 * SECONDS);

function expectSound(report: SoakReport): void {
  expect(report).toMatchObject({
    staleHere: 0,
    staleElsewhere: 0,
    oldAtTheEnd: 0,
    unhandled: 0,
  });
  expect(report.changes).toBeGreaterThan(100);
}

describeWithRedis('caches over a Redis that breaks all the time', () => {
  it('are found stale where nothing is done about it', async () => {
    const { staleHere, staleElsewhere } = await soak({ seed: 1, forMs: 5_000, kind: 'plain' });

    expect(staleHere + staleElsewhere).toBeGreaterThan(0);
  });

  it('read nothing stale, and have what the database has when it is back', async () => {
    const endsAt = performance.now() + 1_000 * SECONDS;
    let seed = SEED;
    do {
      const report = await soak({ seed, forMs: 15_000 });
      if (SECONDS > 0) console.log(JSON.stringify(report));
      expectSound(report);
      seed += 1;
    } while (performance.now() < endsAt);
  });
});
