import type { ActionAnswer, ActionRequest, EntryDetail } from '../dashboard-state.js';
import { messageIn } from './connection.js';
import { byId, el, rowsIn, setText, termRow, type Row } from './dom.js';
import { formatMs, NOTHING, plural } from './format.js';
import type { View } from './view.js';

const DEADLINE_MS = 30_000;

type Action = 'inspect' | 'delete' | 'invalidate-tags' | 'clear';

/** Inspect, delete, invalidate, clear: there only where the application lets the page change its caches. */
export function operationsView(base: URL): View {
  const operations = new Operations(base);
  const section = byId('operations-section');
  return ({ hello, cache }) => {
    section.hidden = !hello.mutations;
    operations.cache = cache.name;
  };
}

class Operations {
  /** The cache that is shown: what is asked for goes to it. */
  cache = '';
  readonly #base: URL;
  readonly #result = byId('operation-result');
  readonly #showEntries = rowsIn(byId('inspected'), entryRow);
  readonly #dialog = byId<HTMLDialogElement>('clear-dialog');
  /** What is asked in the dialog: the cache shown can change behind it. */
  #toClear: ActionRequest | undefined;
  #isBusy = false;

  constructor(base: URL) {
    this.#base = base;
    onSubmit('key-form', (action) => this.#onKey(action));
    onSubmit('tags-form', () => this.#onTags());
    onSubmit('clear-form', () => this.#askToClear());
    this.#dialog.addEventListener('close', () => {
      if (this.#dialog.returnValue === 'clear') void this.#clear();
    });
  }

  async #onKey(action: string): Promise<void> {
    const key = byId<HTMLInputElement>('key').value;
    const request = { cache: this.cache, key, ...namespaceIn('key-namespace') };
    if (action === 'delete') return this.#run('delete', request, `Deleted ${quote(key)}.`);
    const answer = await this.#run('inspect', request);
    if (answer === undefined) return;
    const entries = answer.entries ?? [];
    this.#showEntries(entries);
    const found = `${plural(entries.length, 'copy', 'copies')} of ${quote(key)}`;
    this.#say(entries.length === 0 ? `No level has ${quote(key)}.` : `Found ${found}.`);
  }

  async #onTags(): Promise<void> {
    const lines = byId<HTMLTextAreaElement>('tags').value.split('\n');
    const tags = lines.map((line) => line.trim()).filter((line) => line !== '');
    const done = `Invalidated ${plural(tags.length, 'tag')}: ${tags.map(quote).join(', ')}.`;
    await this.#run('invalidate-tags', { cache: this.cache, tags }, done);
  }

  async #askToClear(): Promise<void> {
    this.#toClear = { cache: this.cache, ...namespaceIn('clear-namespace') };
    setText(byId('clear-question'), `Clear ${nameOf(this.#toClear)}?`);
    this.#dialog.returnValue = '';
    this.#dialog.showModal();
  }

  async #clear(): Promise<void> {
    if (this.#toClear === undefined) return;
    await this.#run('clear', this.#toClear, `Cleared ${nameOf(this.#toClear)}.`);
  }

  /** Returns the answer, or `undefined` where there is none and it was said why. */
  async #run(
    action: Action,
    request: ActionRequest,
    done?: string,
  ): Promise<ActionAnswer | undefined>;
  async #run(action: 'delete', request: ActionRequest, done: string): Promise<undefined>;
  async #run(
    action: Action,
    request: ActionRequest,
    done?: string,
  ): Promise<ActionAnswer | undefined> {
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    this.#showEntries([]);
    this.#say('Asking the server…');
    try {
      const answer = await post(new URL(`actions/${action}`, this.#base), request);
      if (done !== undefined) this.#say(done);
      return answer;
    } catch (error) {
      this.#say(`Not done: ${(error as Error).message}`, true);
      return undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  #say(text: string, isProblem = false): void {
    this.#result.dataset['state'] = isProblem ? 'bad' : 'plain';
    setText(this.#result, text);
  }
}

async function post(url: URL, request: ActionRequest): Promise<ActionAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-cache-dashboard': '1' },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as ActionAnswer;
  const told = messageIn(text).slice(0, 500);
  throw new Error(`the server answered ${response.status}${told === '' ? '.' : `: ${told}`}`);
}

function onSubmit(id: string, listener: (action: string) => Promise<void>): void {
  byId<HTMLFormElement>(id).addEventListener('submit', (event) => {
    event.preventDefault();
    const button = event.submitter as HTMLButtonElement | null;
    void listener(button?.value ?? '');
  });
}

/** Names of namespaces hold neither of the separators. */
function namespaceIn(id: string): Pick<ActionRequest, 'namespace'> {
  const names = byId<HTMLInputElement>(id).value.split(/[>/]/);
  const namespace = names.map((name) => name.trim()).filter((name) => name !== '');
  return namespace.length === 0 ? {} : { namespace };
}

function nameOf({ cache, namespace }: ActionRequest): string {
  const path = namespace?.join(' > ');
  return path === undefined
    ? `the whole cache ${quote(cache)}`
    : `the namespace ${quote(path)} of the cache ${quote(cache)}`;
}

function quote(text: string): string {
  return `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}”`;
}

function entryRow(): Row<EntryDetail> {
  const level = el('h4');
  const figures = el('dl', { class: 'figures' });
  const value = el('pre', { attributes: { tabindex: '0', role: 'group' } });
  const show = rowsIn(figures, termRow);
  return {
    element: el('article', {}, level, figures, value),
    show: (entry) => {
      setText(level, entry.level);
      setText(value, entry.value);
      value.setAttribute('aria-label', `Value in ${entry.level}`);
      show([
        { term: 'state', text: entry.stale ? 'stale' : 'fresh' },
        { term: 'fresh for', text: forever(entry.freshForMs) },
        { term: 'kept for', text: forever(entry.keptForMs) },
        { term: 'age', text: entry.ageMs === null ? NOTHING : formatMs(entry.ageMs) },
        { term: 'tags', text: entry.tags.length === 0 ? NOTHING : entry.tags.join(', ') },
      ]);
    },
  };
}

/** Time without end cannot be told in JSON but as `null`. */
function forever(ms: number | null): string {
  return ms === null ? 'ever' : formatMs(ms);
}
