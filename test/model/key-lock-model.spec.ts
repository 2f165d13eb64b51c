import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyLock } from '../../lib/memory/key-lock.js';
import { ForgetfulKeyLock } from '../support/forgetful-key-lock.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { LockProgram, programs, type LockUnderTest } from './key-lock-program.js';

function withGrantsAtOnce(): LockUnderTest {
  const clock = new VirtualClock();
  return { lock: new KeyLock({ clock }), clock };
}

function withGrantsDelayed(): LockUnderTest {
  const clock = new VirtualClock();
  const grants: (() => void)[] = [];
  const lock = new KeyLock({ clock, handOver: (grant) => grants.push(grant) });
  return {
    lock,
    clock,
    grantAll: () => {
      for (const grant of grants.splice(0)) grant();
    },
  };
}

function forgetful(): LockUnderTest {
  return { lock: new ForgetfulKeyLock(), clock: new VirtualClock() };
}

function keepsTheRules(
  open: () => LockUnderTest,
  timeoutsMs: readonly number[] = [0, 10, 50, Infinity],
): fc.IAsyncProperty<[unknown]> {
  return fc.asyncProperty(programs(timeoutsMs), (program) => new LockProgram(open()).run(program));
}

describe(`${KeyLock.name}: random programs`, () => {
  it('keep to one holder, first in, first out, with one entry for each key in use', async () => {
    const checked = fc.assert(keepsTheRules(withGrantsAtOnce), { numRuns: 300 });

    await expect(checked).resolves.toBeUndefined();
  });

  it('keep to the same when grants are delayed', async () => {
    const checked = fc.assert(keepsTheRules(withGrantsDelayed), { numRuns: 300 });

    await expect(checked).resolves.toBeUndefined();
  });

  it('find the lock that forgets the key in use (test of the test)', async () => {
    const found = await fc.check(keepsTheRules(forgetful, [Infinity]), {
      numRuns: 300,
      seed: 1,
      endOnFailure: true,
    });

    expect(found.failed).toBe(true);
  });
});
