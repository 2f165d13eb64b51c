import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTable } from '../../lib/memory/load-table.js';
import { LoadTimeoutError } from '../../lib/errors.js';
import type { LoadRequest, RunningLoad } from '../../lib/memory/load-request.js';
import { defer, type Deferred } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, type Observed } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const JOIN_MS = 1_000;

let bench: LoadBench;
/** Settles when the value of the load is stored. */
let stored: Deferred<void>;
let others: number;

beforeEach(() => {
  [bench, others, stored] = [new LoadBench(JOIN_MS), 0, defer()];
});

afterEach(async () => {
  stored.resolve();
  await settle();
  expect(bench.leftovers).toEqual(NOTHING);
});

/** Has its value, and a tag, at once, and then takes its time to store it. */
async function bring(load: RunningLoad): Promise<string> {
  load.ticket.tags = ['tag'];
  load.brought = { value: 'brought' };
  await stored.promise;
  return 'brought';
}

function ask(request: Partial<LoadRequest<string>> = {}): Observed<string> {
  return observe(bench.loads.run({ key: 'key', load: bring, ...request }));
}

/** Asks with another loader, which is not to be called while the first is under way. */
function join(request: Partial<LoadRequest<string>> = {}): Observed<string> {
  return observe(
    bench.loads.run({ key: 'key', load: async () => `other ${(others += 1)}`, ...request }),
  );
}

describe(`${LoadTable.name}: a load that has its value and only has to store it`, () => {
  it('answers a follower whose patience ends, who loads nothing', async () => {
    const owner = ask();
    const follower = join();
    await bench.clock.advance(JOIN_MS);

    expect([follower.value, others, owner.state]).toEqual(['brought', 0, 'pending']);
    stored.resolve();
    await settle();
    expect(owner.value).toBe('brought');
  });

  it.each([
    ['softTimeout', { softTimeoutMs: 100 }],
    ['hardTimeout', { hardTimeoutMs: 100 }],
  ])('answers everybody at its %s', async (_, timeout) => {
    const callers = [ask({ ...timeout, fallback: () => 'stale' }), join()];
    await bench.clock.advance(100);

    expect(callers.map(({ value }) => value)).toEqual(['brought', 'brought']);
  });

  it('answers who comes after its softTimeout at once', async () => {
    ask({ softTimeoutMs: 100 });
    await bench.clock.advance(100);
    const late = join({ fallback: () => 'stale' });
    await settle();

    expect([late.value, others]).toEqual(['brought', 0]);
  });

  it('answers a caller at its own waitTimeout', async () => {
    const owner = ask({ waitTimeoutMs: 100 });
    const follower = join({ waitTimeoutMs: 200 });
    await bench.clock.advance(100);
    const first = [owner.value, follower.state];
    await bench.clock.advance(100);

    expect([first, follower.value]).toEqual([['brought', 'pending'], 'brought']);
  });

  it('answers who asked after an invalidation of something else', async () => {
    ask();
    bench.invalidateSomethingElse();
    const after = join({ waitTimeoutMs: 100 });
    await bench.clock.advance(100);

    expect(after.value).toBe('brought');
  });

  describe('and one of whose tags was invalidated meanwhile', () => {
    it.each([
      ['softTimeout', { softTimeoutMs: 100 }],
      ['hardTimeout', { hardTimeoutMs: 100 }],
      ['waitTimeout', { waitTimeoutMs: 100 }],
    ])('answers at its %s who asked before', async (_, timeout) => {
      const before = ask(timeout);
      bench.invalidateTags();
      await bench.clock.advance(100);

      expect(before.value).toBe('brought');
    });
  });

  describe('and names a tag that was invalidated while it loaded', () => {
    /** Asks with a loader that has its value and its tag when that is settled. */
    function askUntil(named: Promise<void>, request: Partial<LoadRequest<string>> = {}) {
      return ask({
        ...request,
        load: async (load) => {
          await named;
          return bring(load);
        },
      });
    }

    it.each([
      ['softTimeout', { softTimeoutMs: 100 }],
      ['hardTimeout', { hardTimeoutMs: 100 }],
    ])('answers at its %s nobody who asked after that', async (_, timeout) => {
      const named = defer();
      const before = askUntil(named.promise, timeout);
      bench.invalidateTags();
      const after = join();
      named.resolve();
      await bench.clock.advance(100);
      const atTimeout = [before.value, after.state];
      stored.resolve();
      await settle();

      expect([atTimeout, after.value]).toEqual([['brought', 'pending'], 'other 1']);
    });

    it('has nothing for the waitTimeout of a caller who asked after that', async () => {
      const named = defer();
      askUntil(named.promise);
      bench.invalidateTags();
      const after = join({ waitTimeoutMs: 100 });
      named.resolve();
      await bench.clock.advance(100);

      expect(after.error).toBeInstanceOf(LoadTimeoutError);
    });
  });
});
