import { describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { GAUGES } from '../../lib/hierarchy/metrics-since.js';
import type { ChangeFeed } from '../../lib/levels/change-feed.js';
import { MapLevel } from '../../lib/testing/map-level.js';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { resolveOptions } from '../../lib/dashboard/dashboard-options.js';
import { CACHE_FIGURES, SHARD_FIGURES } from '../../lib/telemetry/cache-figures.js';
import { prometheusName } from '../../lib/telemetry/collected-metric.js';
import { read, tableUnder } from './documents.js';
import { namedIn } from './options.js';

const page = read('docs/observability.md');

/** A level that tells all that a level can tell. */
class TellingLevel extends MapLevel {
  follow(): ChangeFeed {
    return {
      groups: 1,
      maxStaleMs: 1_000,
      groupOf: () => 0,
      isProven: () => true,
      provenAgoMs: () => 0,
      stop: () => {},
    };
  }
}

function kindOf(name: string, value: unknown): string {
  if (name === 'shards') return name;
  if (typeof value === 'object' && value !== null)
    return 'buckets' in value ? 'histogram' : 'counters';
  if (typeof value !== 'number') return 'state';
  return GAUGES.has(name) || name === 'hitRatio' ? 'gauge' : 'counter';
}

/** The figures of a snapshot with their kinds; those of each level under one name. */
function figures(metrics: object, path = ''): [string, string][] {
  return Object.entries(metrics).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    if (['levels', 'lower'].includes(name))
      return Object.values(value as object).flatMap((level: object) => figures(level, `${name}.`));
    if (['locks', 'coherence'].includes(name)) return figures(value as object, `${name}.`);
    return [[path + name, kindOf(name, value)]];
  });
}

describe('the table of the snapshot', () => {
  it('lists every figure, with its kind', async () => {
    await using cache = new CacheHierarchy({ l2: false, remote: new TellingLevel() });

    const listed = tableUnder(page, 'The snapshot').map(([figure, kind]) => [
      figure!,
      figure!.endsWith('.shards') ? 'shards' : kind!,
    ]);

    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(figures(cache.getMetrics())));
    expect(new Set(listed.map(([figure]) => figure)).size).toBe(listed.length);
  });

  it('has a meaning for each of them', () => {
    for (const [, , meaning] of tableUnder(page, 'The snapshot')) expect(meaning).not.toBe('');
  });
});

describe('the tables of the metrics', () => {
  it.each([
    ['Metrics', CACHE_FIGURES],
    ['Metrics of shards', SHARD_FIGURES],
  ])('list all of them: %s', (heading, exported) => {
    expect(tableUnder(page, heading)).toEqual(
      exported.map((figure) => [
        prometheusName(figure),
        figure.kind,
        figure.labels.join(' '),
        figure.help,
      ]),
    );
  });
});

describe('the table of the dashboard', () => {
  const listed = tableUnder(page, 'Dashboard');

  it('lists every option', () => {
    const options = { guard: null, unknown: true };
    const names = namedIn(() => CacheDashboardModule.forRoot(options));

    expect(listed.map(([option]) => option!).toSorted()).toEqual(names);
  });

  it('has the defaults of the code', () => {
    const { path, mutations, revealKeys } = resolveOptions({ guard: null });
    const defaults = { path: `'${path}'`, mutations: `${mutations}`, revealKeys: `${revealKeys}` };

    expect(Object.fromEntries(listed.map(([option, value]) => [option, value]))).toEqual({
      guard: '',
      imports: '',
      ...defaults,
    });
  });
});
