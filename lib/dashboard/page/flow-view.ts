import {
  byId,
  choiceIn,
  el,
  rowsIn,
  setAttribute,
  setProperty,
  setText,
  termRow,
  type Row,
} from './dom.js';
import { answersOf, flowOf, type Answers, type FlowStep } from './flow.js';
import { formatCount, formatMs, formatPercent, plural } from './format.js';
import { sumOf } from './series.js';
import type { Shown, View } from './view.js';

const PERIODS = { minute: '1 minute', quarter: '15 minutes', start: 'Overall' } as const;

type Step = FlowStep & { readonly at: number | 'loader'; readonly hasLoads: boolean };

/** How many reads each level answered, and what that saved. */
export function flowView(render: () => void): View {
  const period = choiceIn(byId('flow-period'), PERIODS, render);
  const show = rowsIn(byId('flow-steps'), stepRow);
  const summary = byId('flow-summary');
  const showAlso = rowsIn(byId('flow-also'), termRow);
  return (shown) => {
    const answers = answersIn(shown, period());
    const flow = flowOf(answers, shown.cache.levels, shown.detail);
    const hasLoads = flow.loader.meanMs !== undefined;
    show([
      ...flow.levels.map((step, at): Step => ({ ...step, at, hasLoads })),
      { ...flow.loader, at: 'loader', hasLoads },
    ]);
    setText(summary, summaryOf(answers.reads, flow.savedMs));
    showAlso(alsoOf(shown));
  };
}

function answersIn({ state, detail }: Shown, period: keyof typeof PERIODS): Answers {
  if (period === 'start') return detail.totals;
  return answersOf(state.recent(period === 'minute' ? 60_000 : 15 * 60_000));
}

/** What else became of reads and entries. */
function alsoOf({ state, detail: { totals } }: Shown): { term: string; text: string }[] {
  const quarter = state.recent(15 * 60_000);
  return [
    { term: 'joined another’s load', text: formatCount(totals.joins) },
    { term: 'loads that failed', text: formatCount(totals.loadFailures) },
    { term: 'answered with a stale value', text: formatCount(totals.stale) },
    { term: 'loaded, not stored: invalidated meanwhile', text: formatCount(totals.fenced) },
    { term: 'evicted in 15 minutes', text: formatCount(sumOf(quarter, 'evicted')) },
    { term: 'expired in 15 minutes', text: formatCount(sumOf(quarter, 'expired')) },
  ];
}

function summaryOf(reads: number, savedMs: number | undefined): string {
  if (reads === 0) return 'Nothing was read.';
  if (savedMs === undefined)
    return `${plural(reads, 'read')}; nothing was loaded yet to compare with.`;
  const compared =
    savedMs < 0 ? `cost ${formatMs(-savedMs)} more than` : `saved ${formatMs(savedMs)} against`;
  return `${plural(reads, 'read')}. Answers from levels ${compared} loading each.`;
}

function stepRow(): Row<Step> {
  const name = el('h3');
  const share = el('span', { class: 'share' });
  const words = el('p');
  const bar = el('div', { class: 'stream', attributes: { 'aria-hidden': 'true' } }, el('i'));
  const line = el('div', { class: 'line' }, name, share);
  const element = el('li', {}, el('div', { class: 'step' }, line, words), bar);
  return {
    element,
    show: (step) => {
      setAttribute(element, 'data-level', levelClass(step.at));
      setText(name, step.at === 'loader' ? 'Loader' : step.name);
      setText(share, formatPercent(step.share));
      setText(words, wordsOf(step));
      setAttribute(bar, 'data-empty', String(step.answered === 0));
      setProperty(bar, '--reach', `${step.reach * 100}%`);
      setProperty(bar, '--answered', `${step.share * 100}%`);
    },
  };
}

/** Levels have colours by their place; there are four of them. */
export function levelClass(at: number | 'loader'): string {
  return at === 'loader' ? at : String(Math.min(at, 3));
}

function wordsOf({ at, answered, meanMs, savedMs, hasLoads }: Step): string {
  if (at === 'loader') {
    const each = meanMs === undefined ? '' : `, ${formatMs(meanMs)} a load`;
    return `${plural(answered, 'read')} found in no level${each}`;
  }
  const how = meanMs === 0 ? 'at once' : meanMs === undefined ? '' : `in ${formatMs(meanMs)} each`;
  const what = `${formatCount(answered)} answered${how === '' ? '' : ` ${how}`}`;
  if (!hasLoads || answered === 0 || savedMs === undefined) return what;
  return savedMs < 0
    ? `${what}; cost ${formatMs(-savedMs)} more than loading`
    : `${what}; saved ${formatMs(savedMs)} of loading`;
}
