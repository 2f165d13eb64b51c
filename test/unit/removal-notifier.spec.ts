import { beforeEach, describe, expect, it } from '@jest/globals';
import { RemovalNotifier, type RemovalListener } from '../../lib/memory/removal-notifier.js';
import type { CacheReport } from '../../lib/report.js';
import { addRow, openSegment } from '../support/segments.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { settleMicrotasks } from '../support/virtual-clock.js';

let clock: SteppedClock;
let told: string[];
let reports: CacheReport[];

beforeEach(() => {
  clock = new SteppedClock();
  told = [];
  reports = [];
});

function open(
  listener: RemovalListener<number> = (key, value, reason) => {
    told.push(`${key} ${value} ${reason}`);
  },
): RemovalNotifier<number> {
  return new RemovalNotifier({ listener, clock, report: (report) => void reports.push(report) });
}

describe(RemovalNotifier.name, () => {
  it('tells after the step, in the order in which entries left', async () => {
    const notifier = open();
    notifier.note('a', 1, 'deleted');
    notifier.note('b', 2, 'expired');
    const during = [...told];
    await settleMicrotasks();

    expect(during).toEqual([]);
    expect(told).toEqual(['a 1 deleted', 'b 2 expired']);
  });

  it('tells of what the listener itself removes', async () => {
    const notifier = open((key) => {
      told.push(key);
      if (key === 'a') notifier.note('b', 2, 'deleted');
    });
    notifier.note('a', 1, 'deleted');
    await settleMicrotasks();

    expect(told).toEqual(['a', 'b']);
  });

  it('reports a listener that throws once, and goes on', async () => {
    const notifier = open((key) => {
      told.push(key);
      throw new Error('no');
    });
    notifier.note('a', 1, 'deleted');
    notifier.note('b', 2, 'deleted');
    await settleMicrotasks();

    expect(told).toEqual(['a', 'b']);
    expect(reports).toMatchObject([{ code: 'CACHE_LISTENER_FAILED', cause: new Error('no') }]);
  });

  it('reports a listener whose promise is rejected once', async () => {
    const listener: () => unknown = async () => Promise.reject(new Error('later'));
    const notifier = open(listener);
    notifier.note('a', 1, 'deleted');
    notifier.note('b', 2, 'deleted');
    await settleMicrotasks();

    expect(reports.map(({ cause }) => cause)).toEqual([new Error('later')]);
  });

  it('tells of cleared entries a thousand in a turn', () => {
    const notifier = open();
    const segments = [1_500, 0, 700].map((count) => {
      const segment = openSegment(Math.max(count, 8));
      for (let id = 0; id < count; id++) addRow(segment, id);
      return segment;
    });
    segments[0]!.remove(3);
    notifier.noteCleared(segments, 0);
    const counts = [0, 1, 2, 3].map(() => {
      const before = told.length;
      clock.turnOnce();
      return told.length - before;
    });

    expect(counts).toEqual([1_000, 1_000, 199, 0]);
    expect(told[0]).toBe('key-0 0 cleared');
    expect(clock.pending).toBe(0);
  });

  it('tells of cleared entries that had expired by then as expired', () => {
    const notifier = open();
    const segment = openSegment(8);
    addRow(segment, 1, 10);
    addRow(segment, 2, 11);
    notifier.noteCleared([segment], 10);
    clock.turnOnce();

    expect(told).toEqual(['key-1 1 expired', 'key-2 2 cleared']);
  });

  it('goes on with what is cleared while it tells', () => {
    const notifier = open();
    const one = openSegment(8);
    addRow(one, 1);
    notifier.noteCleared([one], 0);
    notifier.noteCleared([one], 0);
    clock.turnOnce();

    expect([told.length, clock.pending]).toEqual([2, 0]);
  });
});
