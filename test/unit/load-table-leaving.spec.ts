import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTable } from '../../lib/memory/load-table.js';
import type { RunningLoad } from '../../lib/memory/load-request.js';
import { defer } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const hang = (): Promise<never> => new Promise(() => {});

let bench: LoadBench;
let leaving: AbortController;

beforeEach(() => {
  bench = new LoadBench();
  leaving = new AbortController();
});

describe(`${LoadTable.name}: a caller's signal`, () => {
  it('ends one wait with its reason, while the load goes on for the others', async () => {
    const loaded = defer<string>();
    const reason = new Error('the client has gone');
    const owner = observe(bench.ask(() => loaded.promise, { signal: leaving.signal }));
    const other = observe(bench.ask(() => 'unused'));

    leaving.abort(reason);
    loaded.resolve('value');
    await settle();

    expect(owner.error).toBe(reason);
    expect(other.value).toBe('value');
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('that was given before the call lets nothing start', async () => {
    let calls = 0;
    leaving.abort('too late');

    const error = await rejectionOf(bench.ask(() => (calls += 1), { signal: leaving.signal }));

    expect([error, calls]).toEqual(['too late', 0]);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('does not let the load’s own signal go off while others wait', async () => {
    let load: RunningLoad | undefined;
    const owner = bench.ask(
      (running) => {
        load = running;
        return hang();
      },
      { signal: leaving.signal },
    );
    observe(bench.ask(() => 'unused'));

    leaving.abort('enough');
    await rejectionOf(owner);

    expect(load?.signal.aborted).toBe(false);
    expect(bench.tickets.isValid(load!.ticket)).toBe(true);
  });

  it('aborts the load and takes its ticket away when the last caller leaves', async () => {
    let load: RunningLoad | undefined;
    const seen: unknown[] = [];
    const owner = bench.ask(
      (running) => {
        load = running;
        running.signal.addEventListener('abort', () => seen.push(running.signal.reason));
        return hang();
      },
      { signal: leaving.signal },
    );
    const follower = bench.ask(() => 'unused', { signal: leaving.signal });

    leaving.abort('enough');
    await Promise.all([rejectionOf(owner), rejectionOf(follower)]);

    expect(seen).toEqual(['enough']);
    expect(bench.tickets.isValid(load!.ticket)).toBe(false);
    expect([bench.loads.size, bench.clock.pending]).toEqual([0, 0]);
  });

  it('is aborted already when the loader looks at it only after the last caller left', async () => {
    const looks = defer();
    const aborted = defer<boolean>();
    const owner = bench.ask(
      async (load) => {
        await looks.promise;
        aborted.resolve(load.signal.aborted);
      },
      { signal: leaving.signal },
    );

    leaving.abort('enough');
    looks.resolve();

    expect(await rejectionOf(owner)).toBe('enough');
    expect(await aborted.promise).toBe(true);
  });

  it('lets the next caller start anew after the last one left', async () => {
    const owner = bench.ask(hang, { signal: leaving.signal });
    leaving.abort('enough');

    const next = await bench.ask(() => 'new');

    expect(next).toBe('new');
    expect(await rejectionOf(owner)).toBe('enough');
  });

  it('lets a follower take the load over when its owner left', async () => {
    let abandoned: RunningLoad | undefined;
    const load = (running: RunningLoad): Promise<never> => {
      abandoned = running;
      return hang();
    };
    const owner = observe(bench.ask(load, { signal: leaving.signal }));
    const follower = observe(bench.ask(() => 'own'));
    leaving.abort('enough');
    await bench.clock.advance(1_000);

    expect([owner.error, follower.value]).toEqual(['enough', 'own']);
    expect(abandoned?.signal.aborted).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('that goes off while its caller is moved on lets it go for good', async () => {
    const first = new AbortController();
    let load: RunningLoad | undefined;
    void bench.ask(hang);
    const replacing = bench.ask(
      (running) => {
        load = running;
        leaving.abort('meanwhile');
        return hang();
      },
      { signal: first.signal },
    );
    const moved = rejectionOf(bench.ask(() => 'unused', { signal: leaving.signal }));
    await bench.clock.advance(1_000);

    first.abort('enough');

    expect([await moved, await rejectionOf(replacing)]).toEqual(['meanwhile', 'enough']);
    expect(load?.signal.aborted).toBe(true);
  });

  it('that goes off within the loader ends the wait', async () => {
    const error = await rejectionOf(
      bench.ask(
        () => {
          leaving.abort('within');
          return 'value';
        },
        { signal: leaving.signal },
      ),
    );

    expect(error).toBe('within');
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('is not looked at any more when the load has settled', async () => {
    let looks = 0;
    Object.defineProperty(leaving.signal, 'reason', { get: () => (looks += 1) });
    await bench.ask(() => 'value', { signal: leaving.signal });

    leaving.abort('late');

    expect(looks).toBe(0);
  });

  it('has one listener however many callers share it: Node warns of a leak at eleven', async () => {
    const asked = Array.from({ length: 100 }, (_, key) =>
      bench.ask(() => 'value', { key: `key-${key}`, signal: leaving.signal }),
    );
    const whileWaiting = getEventListeners(leaving.signal, 'abort').length;
    await Promise.all(asked);
    await rejectionOf(bench.ask(() => Promise.reject(new Error()), { signal: leaving.signal }));

    expect(whileWaiting).toBe(1);
    expect(getEventListeners(leaving.signal, 'abort').length).toBeLessThanOrEqual(1);
  });

  it('that goes off after the load has settled changes nothing', async () => {
    const value = await bench.ask(() => 'value', { signal: leaving.signal });

    leaving.abort('late');
    await settle();

    expect(value).toBe('value');
  });

  it('leaves no ticket behind when the last caller left a loader that hangs', async () => {
    const owner = bench.ask(hang, { signal: leaving.signal });

    leaving.abort('enough');
    await rejectionOf(owner);

    expect(bench.leftovers).toEqual(NOTHING);
  });
});
