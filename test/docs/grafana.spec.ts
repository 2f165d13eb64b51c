import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { collectCaches } from 'nestjs-cache-hierarchy/prometheus';
import { MapLevel } from 'nestjs-cache-hierarchy/testing';
import { read } from './documents.js';

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

const dashboard = JSON.parse(read('docs/grafana/dashboard.json')) as Dashboard;
const alerts = read('docs/grafana/alerts.yaml');
const alertExpressions = [...alerts.matchAll(/^ +expr: (.*)$/gm)].map(([, text]) => text!);
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.map(({ query }) => query),
  ...alertExpressions,
];

/** Everything that a scrape has: the names of the series, each with its labels. */
async function exported(): Promise<Map<string, Set<string>>> {
  const registry = new Registry();
  await using cache = new CacheHierarchy({ remote: new TellingLevel() });
  collectCaches({ places: cache }, { registry });
  const names = new Map<string, Set<string>>();
  for (const [, name, labels] of (await registry.metrics()).matchAll(/^(\w+)\{(.*)\}/gm)) {
    const known = names.get(name!) ?? new Set();
    for (const [, label] of labels!.matchAll(/(\w+)=/g)) known.add(label!);
    names.set(name!, known);
  }
  return names;
}

class TellingLevel extends MapLevel {
  follow() {
    const isProven = (): boolean => true;
    const groupOf = (): number => 0;
    const provenAgoMs = (): number => 0;
    return { groups: 1, maxStaleMs: 1, groupOf, isProven, provenAgoMs, stop: () => {} };
  }
}

/** What Prometheus itself puts on every series. */
const OF_THE_SCRAPE = ['job', 'instance'];

describe('the dashboard and the alerts', () => {
  it('have expressions', () => {
    expect(dashboard.panels.length).toBeGreaterThan(10);
    expect(alertExpressions).toHaveLength(5);
  });

  it.each(expressions.filter((text) => text !== 'prometheus'))(
    'use what is exported: %s',
    async (expression) => {
      const known = await exported();
      const names = expression.match(/\bcache_hierarchy_\w+/g) ?? [];

      expect(names).not.toEqual([]);
      for (const name of names) {
        expect([...known.keys()]).toContain(name);
        const labels = [...known.get(name)!, ...OF_THE_SCRAPE];
        for (const [, grouped] of expression.matchAll(/by \((.*?)\)/g))
          for (const label of grouped!.split(', ')) expect(labels).toContain(label);
      }
    },
  );

  it.each(expressions)('close what they open: %s', (expression) => {
    for (const [open, close] of ['()', '{}', '[]'])
      expect(expression.split(open!).length).toBe(expression.split(close!).length);
  });

  it('say what they show', () => {
    for (const { title, description, targets } of dashboard.panels)
      expect([title, description, ...targets.map((target) => target.legendFormat)]).not.toContain(
        '',
      );
  });

  it('lie side by side', () => {
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x}/${y}`);

    expect(new Set(places).size).toBe(places.length);
    for (const { gridPos } of dashboard.panels)
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
