import { describe, expect, it } from '@jest/globals';
import { PageState } from '../../lib/dashboard/page/page-state.js';
import { hitRatioOf, historyColumns, spanOf } from '../../lib/dashboard/page/series.js';
import { cacheDetail, cacheSample, dashboardHello, dashboardSample, NOW } from './page-data.js';

describe(PageState.name, () => {
  it('tells a first hello from one that comes again, and from one of a new start', () => {
    const state = new PageState();

    const greetings = ['one', 'one', 'two'].map((bootId) =>
      state.greet(dashboardHello({ bootId })),
    );

    expect(greetings).toEqual(['first', 'again', 'restarted']);
  });

  it('starts anew with each hello', () => {
    const state = new PageState();
    state.greet(dashboardHello());

    state.greet(dashboardHello({ bootId: 'two', history: [], activity: [], now: NOW + 9_000 }));

    expect([state.samples, state.activity, state.detail]).toEqual([[], [], undefined]);
    expect(state.now).toBe(NOW + 9_000);
  });

  it('keeps fifteen minutes of samples, however long it is open', () => {
    const state = new PageState();
    state.greet(dashboardHello());

    for (let second = 1; second <= 2_000; second++) {
      state.add(dashboardSample(NOW + second * 1_000));
    }

    expect(state.samples).toHaveLength(900);
    expect(state.samples[0]!.at).toBe(NOW + 1_101_000);
  });

  it('keeps the details of the last sample alone', () => {
    const state = new PageState();
    state.greet(dashboardHello());

    state.add(dashboardSample(NOW + 1_000, {}, cacheDetail({ health: 'down' })));

    expect(state.detail?.health).toBe('down');
    expect(state.samples.some(({ caches }) => 'detail' in caches['default']!)).toBe(false);
  });

  it('drops what lies ahead when the clock of the server is set back', () => {
    const state = new PageState();
    state.greet(dashboardHello());

    state.add(dashboardSample(NOW - 10_000));

    const times = state.samples.map(({ at }) => at);
    expect(times).toHaveLength(890);
    expect(times.toSorted((one, other) => one - other)).toEqual(times);
  });

  it('keeps the newest fifty activities', () => {
    const state = new PageState();
    state.greet(dashboardHello({ activity: [] }));

    for (let at = 1; at <= 60; at++) {
      state.note({ at, cache: 'default', kind: 'delete', what: `key ${at}`, count: 1 });
    }

    expect(state.activity).toHaveLength(50);
    expect(state.activity[0]!.at).toBe(60);
  });

  it('shows the cache chosen, and the first where there is none of that name', () => {
    const state = new PageState('gone');
    state.greet(dashboardHello());
    const before = state.cache?.name;

    state.choose('sessions');

    expect([before, state.cache?.name]).toEqual(['default', 'sessions']);
    expect(state.activity.map(({ cache }) => cache)).toEqual(['sessions']);
    expect(state.recent(10_000).map(({ entries }) => entries)).toEqual(Array(10).fill(12));
  });

  it('holds a cache by any legal name', () => {
    const state = new PageState();
    const name = '__proto__';
    const sample = JSON.parse(`{"at":${NOW},"caches":{"${name}":{"reads":3}}}`) as never;
    const info = { name, active: true, levels: [], advice: [] };

    state.greet(dashboardHello({ caches: [info], history: [sample] }));

    expect(state.recent(1_000)).toEqual([{ reads: 3 }]);
  });
});

describe(historyColumns.name, () => {
  it('has the ratio of ten samples and the rates of each', () => {
    const samples = [
      dashboardSample(1_000, { reads: 10, hits: 5, loads: 4, loadFailures: 1 }),
      dashboardSample(2_000, { reads: 30, hits: 25 }),
    ];

    const columns = historyColumns(samples, 'default', 1_000);

    expect(columns).toEqual({
      at: [1, 2],
      hitRatio: [0.5, 0.75],
      reads: [10, 30],
      hits: [5, 25],
      loads: [4, 0],
      failures: [1, 0],
    });
  });

  it('lets a sample go out of the ratio after ten', () => {
    const samples = Array.from({ length: 11 }, (_, at) =>
      dashboardSample(at * 1_000, { reads: 10, hits: at === 0 ? 0 : 10 }),
    );

    expect(historyColumns(samples, 'default', 1_000).hitRatio.slice(-2)).toEqual([0.9, 1]);
  });

  it('breaks the lines where samples are missing', () => {
    const samples = [1_000, 9_000].map((at) => dashboardSample(at, { reads: 4, hits: 4 }));

    const { at, reads, hitRatio } = historyColumns(samples, 'default', 1_000);

    expect(at).toEqual([1, 2, 9]);
    expect([reads, hitRatio]).toEqual([
      [4, null, 4],
      [1, null, 1],
    ]);
  });

  it('has no ratio of no reads, and a second is a second whatever the interval', () => {
    const samples = [dashboardSample(0), dashboardSample(2_000, { loads: 8 })];

    const columns = historyColumns(samples, 'default', 2_000);

    expect(columns.hitRatio).toEqual([null, null]);
    expect(columns.loads).toEqual([0, 4]);
    expect(historyColumns(samples, 'other', 2_000).at).toEqual([]);
  });
});

describe(hitRatioOf.name, () => {
  it('weighs samples by their reads', () => {
    const samples = [
      cacheSample({ reads: 1, hits: 0 }),
      cacheSample({ reads: 99, hits: 99 }),
      cacheSample(),
    ];

    expect(hitRatioOf(samples)).toBe(0.99);
    expect(hitRatioOf([])).toBeUndefined();
  });
});

describe(spanOf.name, () => {
  it('looks past gaps', () => {
    expect(spanOf([3, null, 1, 2, null])).toEqual({ low: 1, high: 3 });
    expect(spanOf([null])).toBeUndefined();
  });
});
