import { Connection, type ConnectionState } from './connection.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { flowView } from './flow-view.js';
import { formatClock } from './format.js';
import { headlineView } from './headline-view.js';
import { historyCharts } from './history-charts.js';
import { latencyView } from './latency-view.js';
import { levelsView } from './levels-view.js';
import { activityView, adviceView, hotKeysView, missesView } from './list-views.js';
import { operationsView } from './operations-view.js';
import { PageState } from './page-state.js';
import { shardsView } from './shards-view.js';
import type { View } from './view.js';

const CONNECTION = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
  paused: 'Paused',
} as const;

/** The page is served below any prefix, with or without a slash at its end: what it asks is beside the script. */
const base = new URL('.', import.meta.url);
const state = new PageState(new URLSearchParams(location.search).get('cache') ?? undefined);
const views: readonly View[] = [
  headlineView(),
  adviceView(),
  historyCharts(),
  flowView(render),
  missesView(),
  latencyView(),
  levelsView(),
  shardsView(render),
  hotKeysView(),
  activityView(),
  operationsView(base),
];

const chooser = byId<HTMLSelectElement>('cache');
chooser.addEventListener('change', () => {
  state.choose(chooser.value);
  const url = new URL(location.href);
  url.searchParams.set('cache', chooser.value);
  history.replaceState(null, '', url);
  render();
});

const connection = new Connection(new URL('events', base), {
  onHello: (hello) => {
    const isRestart = state.greet(hello) === 'restarted';
    if (isRestart) {
      const at = formatClock(hello.startedAt);
      say(`The application restarted at ${at}: its figures start anew.`);
    }
    setText(byId('version'), hello.version);
    showCaches(hello.caches.map(({ name }) => name));
    render();
  },
  onSample: (sample) => {
    state.add(sample);
    render();
  },
  // Shown with the next sample, which comes within a second.
  onActivity: (activity) => state.note(activity),
  onState: showConnection,
});
byId('connect-now').addEventListener('click', () => connection.open());
byId('notice-close').addEventListener('click', () => hide(byId('notice')));
document.addEventListener('visibilitychange', render);
connection.open();

/** Shows what is known; while nobody looks, nothing. */
function render(): void {
  const { hello, cache, detail } = state;
  if (document.hidden || hello === undefined) return;
  const waiting = byId('waiting');
  waiting.hidden = detail !== undefined;
  byId('figures').hidden = detail === undefined;
  if (cache === undefined) setText(waiting, 'This application has no cache.');
  byId('inactive').hidden = cache?.active !== false;
  if (cache === undefined || detail === undefined) return;
  for (const view of views) view({ state, hello, cache, detail });
  setText(byId('as-of'), formatClock(state.now));
  document.title =
    detail.health === 'up' ? 'Cache dashboard' : `${detail.health} – Cache dashboard`;
}

function showCaches(names: readonly string[]): void {
  chooser.replaceChildren(
    ...names.map((name) => el('option', { text: name, attributes: { value: name } })),
  );
  if (state.cache !== undefined) chooser.value = state.cache.name;
  byId('cache-choice').hidden = names.length < 2;
}

function say(text: string): void {
  byId('notice').hidden = false;
  setText(byId('notice-text'), text);
  announce(text);
}

/** Has a text read out, once. */
function announce(text: string): void {
  setText(byId('announcement'), text);
}

/** Hides a notice; the focus does not go with its button. */
function hide(notice: HTMLElement): void {
  const hasFocus = notice.contains(document.activeElement);
  notice.hidden = true;
  if (hasFocus) byId('figures').focus();
}

function showConnection(connected: ConnectionState): void {
  const root = document.documentElement;
  const wasLost = ['reconnecting', 'refused'].includes(root.dataset['connection'] ?? '');
  setAttribute(root, 'data-connection', connected.kind);
  if (connected.kind === 'refused') return showRefusal(connected);
  setText(byId('connection'), CONNECTION[connected.kind]);
  if (connected.kind === 'reconnecting') announce('The connection is lost: trying again.');
  if (connected.kind !== 'live') return;
  hide(byId('refusal'));
  if (wasLost) announce('Live again.');
}

function showRefusal({ problem, retryMs }: Extract<ConnectionState, { kind: 'refused' }>): void {
  setText(byId('connection'), 'Not connected');
  byId('refusal').hidden = false;
  setText(byId('refusal-text'), `${problem}.`);
  setText(byId('refusal-retry'), `Trying again in about ${Math.round(retryMs / 1_000)} s.`);
  announce(`Not connected. ${problem}.`);
}
