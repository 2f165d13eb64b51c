import type { CoherenceDetail, LevelDetail } from '../dashboard-state.js';
import { byId, el, rowsIn, setAttribute, setText, termRow, type Row } from './dom.js';
import { levelClass } from './flow-view.js';
import { formatBytes, formatCount, formatMs, formatPercent } from './format.js';
import { meanMs } from './latency.js';
import { hitRatioOf } from './series.js';
import type { View } from './view.js';

const KINDS = {
  memory: 'in memory, sharded',
  outside: 'outside the process',
  own: 'in the process, your own',
} as const;

interface Term {
  readonly term: string;
  readonly text: string;
  readonly state?: 'bad' | 'good' | 'warn';
}

/** How each level does, and whether copies of a fleet are known to be alike. */
export function levelsView(): View {
  const show = rowsIn(byId('levels'), levelRow);
  const coherence = byId('coherence');
  const showCoherence = rowsIn(byId('coherence-figures'), termRow);
  return ({ cache, detail }) => {
    show(detail.levels.map((level) => ({ level, at: cache.levels.indexOf(level.name) })));
    coherence.hidden = detail.coherence === undefined;
    if (detail.coherence !== undefined) showCoherence(coherenceTerms(detail.coherence));
  };
}

function levelRow(): Row<{ level: LevelDetail; at: number }> {
  const name = el('h3');
  const state = el('span', { class: 'badge' });
  const kind = el('p', { class: 'note' });
  const figures = el('dl', { class: 'figures' });
  const element = el('article', {}, el('div', { class: 'line' }, name, state), kind, figures);
  const show = rowsIn(figures, termRow);
  return {
    element,
    show: ({ level, at }) => {
      setAttribute(element, 'data-level', levelClass(Math.max(0, at)));
      setText(name, level.name);
      setText(state, level.state === 'up' ? 'Up' : 'Down');
      setAttribute(state, 'data-health', level.state);
      setText(kind, KINDS[level.kind]);
      show(levelTerms(level));
    },
  };
}

function levelTerms(level: LevelDetail): readonly Term[] {
  const { entries, bytes, hits, misses, answerTimes } = level;
  const terms: Term[] = [
    { term: 'hit ratio', text: formatPercent(hitRatioOf([{ hits, reads: hits + misses }])) },
    { term: 'hits', text: formatCount(hits) },
    { term: 'misses', text: formatCount(misses) },
  ];
  if (entries !== undefined) terms.push({ term: 'entries', text: formatCount(entries) });
  if (bytes !== undefined && bytes > 0) terms.push({ term: 'size', text: formatBytes(bytes) });
  if (answerTimes !== undefined) {
    terms.push({ term: 'mean answer', text: formatMs(meanMs(answerTimes)) });
  }
  return [
    ...terms,
    ...troubles('failures', level.failures),
    ...troubles('timeouts', level.timeouts),
    ...troubles('unconfirmed', level.unconfirmed),
  ];
}

function troubles(term: string, count: number | undefined): readonly Term[] {
  if (count === undefined) return [];
  return [{ term, text: formatCount(count), ...(count > 0 && { state: 'warn' as const }) }];
}

function coherenceTerms({ proven, lagMs, missed }: CoherenceDetail): readonly Term[] {
  return [
    {
      term: 'invalidations of others',
      text: proven ? 'known to arrive' : 'not known to arrive',
      state: proven ? 'good' : 'bad',
    },
    { term: 'lag', text: formatMs(lagMs ?? undefined) },
    ...troubles('missed', missed),
  ];
}
