/** What a new element gets. Text goes in as text: nothing of the server is ever read as HTML. */
export interface ElementParts {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes an element. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  parts: ElementParts = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (parts.class !== undefined) element.className = parts.class;
  if (parts.text !== undefined) element.textContent = parts.text;
  if (parts.title !== undefined) element.title = parts.title;
  for (const [name, value] of Object.entries(parts.attributes ?? {})) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Returns the element of index.html with this id. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no element #${id}.`);
  return element as Kind;
}

/** Sets a text, touching the document only where it differs, so that nothing is laid out or read out anew. */
export function setText(element: Node, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setTitle(element: HTMLElement, title: string): void {
  if (element.title !== title) element.title = title;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Sets a custom property that the style sheet reads, by script, as the policy of the page allows. */
export function setProperty(element: HTMLElement, name: `--${string}`, value: string): void {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

/** A row of a list, with what shows an item in it. */
export interface Row<Item> {
  readonly element: HTMLElement;
  readonly show: (item: Item, at: number) => void;
}

/** Returns a function that shows items in a parent, a row each, and uses the rows that are there. */
export function rowsIn<Item>(
  parent: HTMLElement,
  makeRow: () => Row<Item>,
): (items: readonly Item[]) => void {
  const rows: Row<Item>[] = [];
  return (items) => {
    while (rows.length < items.length) {
      const row = makeRow();
      rows.push(row);
      parent.append(row.element);
    }
    for (const row of rows.splice(items.length)) row.element.remove();
    for (const [at, item] of items.entries()) rows[at]!.show(item, at);
  };
}

/** A term and what is told of it, for a `<dl>`. */
export function termRow(): Row<{ term: string; text: string; state?: 'bad' | 'good' | 'warn' }> {
  const term = el('dt');
  const text = el('dd');
  const element = el('div', {}, term, text);
  return {
    element,
    show: (item) => {
      setText(term, item.term);
      setText(text, item.text);
      setAttribute(element, 'data-state', item.state ?? 'plain');
    },
  };
}

/** Fills a `<fieldset>` with radio buttons, tells the choice and calls back when it changes. */
export function choiceIn<Value extends string>(
  fieldset: HTMLElement,
  choices: Readonly<Record<Value, string>>,
  onChange: () => void,
): () => Value {
  const entries = Object.entries(choices) as [Value, string][];
  let chosen = entries[0]![0];
  for (const [value, text] of entries) {
    const attributes = { type: 'radio', name: fieldset.id, value };
    const radio = el('input', { attributes });
    radio.checked = value === chosen;
    radio.addEventListener('change', () => {
      chosen = value;
      onChange();
    });
    fieldset.append(el('label', {}, radio, el('span', { text })));
  }
  return () => chosen;
}
