import type { LevelDetail, ShardDetail } from '../dashboard-state.js';
import { byId, choiceIn, el, rowsIn, setProperty, setText, setTitle, type Row } from './dom.js';
import { formatCompact, formatCount } from './format.js';
import { figureInWords, heatOf, SHARD_FIGURES, wordsOf, type ShardFigure } from './shard-heat.js';
import type { View } from './view.js';

type Sharded = LevelDetail & { readonly shards: readonly ShardDetail[] };

interface ShardMap {
  readonly level: Sharded;
  readonly figure: ShardFigure;
}

interface Cell {
  readonly value: number;
  readonly heat: number;
  readonly words: string;
}

const FIGURES = Object.entries(SHARD_FIGURES) as [ShardFigure, string][];

/** Shards of the levels in memory: the hotter, the more of the figure chosen. */
export function shardsView(render: () => void): View {
  const section = byId('shards-section');
  const figure = choiceIn(byId('shard-figure'), SHARD_FIGURES, render);
  const show = rowsIn(byId('shards'), mapRow);
  return ({ detail }) => {
    const sharded = detail.levels.filter(
      (level): level is Sharded => (level.shards ?? []).length > 0,
    );
    section.hidden = sharded.length === 0;
    show(sharded.map((level) => ({ level, figure: figure() })));
  };
}

function mapRow(): Row<ShardMap> {
  const name = el('h3');
  const words = el('p', { class: 'note' });
  const cells = el('div', { class: 'heat', attributes: { 'aria-hidden': 'true' } });
  const table = shardTable();
  const element = el('article', {}, name, words, cells, table.element);
  const showCells = rowsIn(cells, cellRow);
  return {
    element,
    show: ({ level, figure }) => {
      const heat = heatOf(level.shards, figure);
      setText(name, level.name);
      setText(words, wordsOf(heat, figure));
      showCells(
        heat.cells.map(({ value, heat: cellHeat }, at) => ({
          value,
          heat: cellHeat,
          words: `Shard ${at}: ${figureInWords(value, figure)}`,
        })),
      );
      table.show(level);
    },
  };
}

function cellRow(): Row<Cell> {
  const element = el('div');
  return {
    element,
    show: ({ value, heat, words }) => {
      setText(element, formatCompact(value));
      setTitle(element, words);
      setProperty(element, '--heat', `${Math.round(heat * 100)}%`);
    },
  };
}

/** The same in numbers, all figures of all shards, made only while it is open. */
function shardTable(): { readonly element: HTMLElement; readonly show: (level: Sharded) => void } {
  const head = el('tr', {}, el('th', { text: 'Shard', attributes: { scope: 'col' } }));
  for (const [, text] of FIGURES) head.append(el('th', { text, attributes: { scope: 'col' } }));
  const body = el('tbody');
  const caption = el('caption', { class: 'visually-hidden' });
  const table = el('table', { class: 'numbers' }, caption, el('thead', {}, head), body);
  const scroller = el(
    'div',
    { class: 'scroller', attributes: { tabindex: '0', role: 'group' } },
    table,
  );
  const details = el('details', {}, el('summary', { text: 'All figures as a table' }), scroller);
  const showRows = rowsIn(body, shardRow);
  let latest: Sharded | undefined;
  const show = (): void => {
    if (latest === undefined) return;
    setText(caption, `Shards of ${latest.name}`);
    scroller.setAttribute('aria-label', `Shards of ${latest.name}`);
    showRows(details.open ? latest.shards : []);
  };
  details.addEventListener('toggle', show);
  return {
    element: details,
    show: (level) => {
      latest = level;
      show();
    },
  };
}

function shardRow(): Row<ShardDetail> {
  const shard = el('th', { attributes: { scope: 'row' } });
  const cells = FIGURES.map(([figure]) => ({ figure, cell: el('td') }));
  return {
    element: el('tr', {}, shard, ...cells.map(({ cell }) => cell)),
    show: (detail, at) => {
      setText(shard, String(at));
      for (const { figure, cell } of cells) setText(cell, formatCount(detail[figure]));
    },
  };
}
