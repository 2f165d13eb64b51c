import { describe, expect, it } from '@jest/globals';
import { LeaseKeeper } from '../../lib/redis/lease-keeper.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe(LeaseKeeper.name, () => {
  it('gives a lease back that comes while it closes, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const asked: unknown[] = [];
    const run = async (_script: unknown, keys: readonly string[], args: readonly unknown[]) => {
      asked.push([...keys, ...args]);
      return 1;
    };
    const keeper = new LeaseKeeper({ driver: { run }, clock, leaseMs: 9_000 });
    keeper.keep('early', 'nonce 1', 'token 1');
    const closing = keeper.close();
    keeper.keep('late', 'nonce 2', 'token 2');
    await closing;

    expect(asked).toEqual([
      ['early', 'nonce 1', '0'],
      ['late', 'nonce 2', '0'],
    ]);
    expect(clock.pending).toBe(0);
  });
});
