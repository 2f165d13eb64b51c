import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format } from 'prettier';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import type { Page, Plot } from './page.js';

/** Writes a page, as the project formats its pages, and its plots into a folder. */
export async function writePage(folder: string, name: string, page: Page): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const markdown = await format(page.markdown, { parser: 'markdown' });
  writeFileSync(join(folder, `${name}.md`), markdown);
  for (const plot of page.plots) writeFileSync(join(folder, plot.file), await drawBars(plot));
}

/** Draws a bar for each subject, with a line from the first to the third quartile. */
function drawBars({ title, unit, bars }: Plot): Promise<string> {
  // Names are cut after 180 px otherwise, and some differ at their ends only.
  const axis = { labelLimit: 0 };
  const subject = { field: 'subject', type: 'nominal', sort: null, title: null, axis } as const;
  return draw({
    title,
    width: 480,
    data: { values: [...bars] },
    layer: [
      {
        mark: { type: 'bar', color: '#4c78a8' },
        encoding: { y: subject, x: { field: 'median', type: 'quantitative', title: unit } },
      },
      {
        mark: { type: 'rule', color: '#222' },
        encoding: {
          y: subject,
          x: { field: 'from', type: 'quantitative' },
          x2: { field: 'to' },
        },
      },
    ],
  });
}

/** Draws hits over the size of the cache, a small plot for each trace. */
export function drawHitRatios(
  points: readonly { trace: string; size: number; subject: string; hits: number }[],
): Promise<string> {
  return draw({
    data: { values: [...points] },
    facet: { field: 'trace', type: 'nominal', title: null },
    columns: 4,
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 180,
      height: 130,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'size', type: 'quantitative', title: 'entries', scale: { type: 'log' } },
        y: { field: 'hits', type: 'quantitative', title: 'hits, %' },
        color: { field: 'subject', type: 'nominal', title: null, legend: { orient: 'top' } },
      },
    },
  });
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const config = { background: 'white', font: 'sans-serif' };
  const view = new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  return view.toSVG();
}
