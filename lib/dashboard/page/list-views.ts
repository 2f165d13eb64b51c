import type { Activity, CacheAdvice, HotKey } from '../dashboard-state.js';
import { byId, el, rowsIn, setAttribute, setProperty, setText, setTitle, type Row } from './dom.js';
import {
  cutText,
  formatAgo,
  formatCount,
  formatDateAndTime,
  formatPercent,
  plural,
} from './format.js';
import type { View } from './view.js';

const MAX_TITLE_LENGTH = 1_000;
const MAX_ACTIVITIES = 20;

const MISS_REASONS: Readonly<Record<string, string>> = {
  absent: 'was not there, or nobody remembers why',
  expired: 'had expired',
  evicted: 'had made room for others',
  tag: 'a tag or namespace of it was invalidated',
  fenced: 'was invalidated while it was loaded, so not stored',
  skipped: 'the call reads not every level, or forces a refresh',
  held: 'is held after an invalidation',
  'level down': 'a level does not answer',
};

interface Part {
  readonly name: string;
  readonly note: string;
  readonly count: number;
  readonly share: number;
}

/** Why reads found nothing. */
export function missesView(): View {
  const show = rowsIn(byId('misses'), partRow);
  const none = byId('no-misses');
  return ({ detail }) => {
    const reasons = Object.entries(detail.missReasons).filter(([, count]) => count > 0);
    const sum = reasons.reduce((total, [, count]) => total + count, 0);
    none.hidden = sum > 0;
    show(
      reasons
        .toSorted(([, one], [, other]) => other - one)
        .map(([name, count]) => ({
          name,
          note: MISS_REASONS[name] ?? '',
          count,
          share: count / sum,
        })),
    );
  };
}

function partRow(): Row<Part> {
  const name = el('strong');
  const note = el('span', { class: 'note' });
  const figures = el('span', { class: 'amount' });
  const bar = el('span', { class: 'bar', attributes: { 'aria-hidden': 'true' } }, el('i'));
  const element = el('li', {}, el('span', { class: 'line' }, name, figures), bar, note);
  return {
    element,
    show: (part) => {
      setText(name, part.name);
      setText(figures, `${formatPercent(part.share)} · ${formatCount(part.count)}`);
      setText(note, part.note);
      setProperty(bar, '--part', `${part.share * 100}%`);
    },
  };
}

/** The keys that are read most. */
export function hotKeysView(): View {
  const show = rowsIn(byId('hot-keys'), hotKeyRow);
  const table = byId('hot-keys-table');
  const none = byId('no-hot-keys');
  const note = byId('hot-keys-note');
  return ({ hello, detail }) => {
    const keys = detail.hotKeys;
    table.hidden = keys.length === 0;
    none.hidden = keys.length > 0;
    setText(
      note,
      hello.revealsKeys
        ? 'Of the hits sampled while this page is open.'
        : 'Of the hits sampled while this page is open. Keys are shown hashed: the option revealKeys shows them.',
    );
    const most = keys.reduce((max, { share }) => Math.max(max, share), 0);
    show(keys.map((hot) => ({ hot, most })));
  };
}

function hotKeyRow(): Row<{ readonly hot: HotKey; readonly most: number }> {
  const key = el('th', { class: 'key', attributes: { scope: 'row' } });
  const share = el('td');
  const bar = el('span', { class: 'bar', attributes: { 'aria-hidden': 'true' } }, el('i'));
  const text = el('span');
  share.append(el('span', { class: 'share-line' }, bar, text));
  const hits = el('td');
  return {
    element: el('tr', {}, key, share, hits),
    show: ({ hot, most }) => {
      showText(key, hot.label);
      setText(text, formatPercent(hot.share));
      setText(hits, formatCount(hot.hits));
      setProperty(bar, '--part', `${most === 0 ? 0 : (hot.share / most) * 100}%`);
    },
  };
}

const ACTIVITY = {
  delete: ['Deleted', 'key'],
  expire: ['Expired', 'key'],
  tags: ['Tags', 'invalidation'],
  clear: ['Cleared', 'time'],
} as const satisfies Record<Activity['kind'], readonly [string, string]>;

/** What was invalidated lately. */
export function activityView(): View {
  const show = rowsIn(byId('activity'), activityRow);
  const none = byId('no-activity');
  return ({ state }) => {
    const { activity, now } = state;
    none.hidden = activity.length > 0;
    show(activity.slice(0, MAX_ACTIVITIES).map((one) => ({ activity: one, now })));
  };
}

function activityRow(): Row<{ readonly activity: Activity; readonly now: number }> {
  const kind = el('strong', { class: 'kind' });
  const what = el('span', { class: 'key' });
  const count = el('span', { class: 'note' });
  const time = el('time', { class: 'note' });
  return {
    element: el('li', {}, kind, el('span', { class: 'what' }, what, count), time),
    show: ({ activity, now }) => {
      const [word, one] = ACTIVITY[activity.kind];
      setText(kind, word);
      showText(what, activity.what === '' ? 'the whole cache' : activity.what);
      setText(count, activity.count === 1 ? '' : plural(activity.count, one));
      setText(time, formatAgo(activity.at, now));
      setTitle(time, formatDateAndTime(activity.at));
      setAttribute(time, 'datetime', new Date(activity.at).toISOString());
    },
  };
}

/** What the advisor says of the options. */
export function adviceView(): View {
  const section = byId('advice-section');
  const show = rowsIn<CacheAdvice>(byId('advice'), () => {
    const message = el('p');
    const code = el('code');
    return {
      element: el('li', {}, message, code),
      show: (advice) => {
        setText(message, advice.message);
        setText(code, advice.code);
      },
    };
  });
  return ({ cache }) => {
    section.hidden = cache.advice.length === 0;
    show(cache.advice);
  };
}

/** A long key is cut, and whole in the title. */
function showText(element: HTMLElement, text: string): void {
  const cut = cutText(text);
  setText(element, cut);
  setTitle(element, cut === text ? '' : text.slice(0, MAX_TITLE_LENGTH));
}
