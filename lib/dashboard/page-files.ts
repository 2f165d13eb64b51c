import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RawExchange } from './raw-exchange.js';

/** A file of the page. */
export type PageFile = 'index.html' | 'dashboard.js' | 'dashboard.css';

const TYPES: Readonly<Record<PageFile, string>> = {
  'index.html': 'text/html',
  'dashboard.js': 'text/javascript',
  'dashboard.css': 'text/css',
};

/** What stands in the page for the way from its address to its files. */
const BASE = '{{base}}';

/** A last part of an address that can be written into a page as it is. */
const PLAIN_SEGMENT = /^[\w.~-]+$/;

/** The files of the page. */
export class PageFiles {
  readonly #folder: URL;
  readonly #read = new Map<PageFile, string>();

  /** @param folder where the build has put them */
  constructor(folder: URL) {
    this.#folder = folder;
  }

  /**
   * Answers with a file, or with nothing where the browser has that very one.
   *
   * @param path the address of the page, for its last part
   * @throws what reading the file throws
   */
  answer(exchange: RawExchange, name: PageFile, path: string): void {
    const file = this.#text(name);
    const body = name === 'index.html' ? file.replaceAll(BASE, baseOf(exchange, path)) : file;
    const digest = createHash('sha256').update(body).digest('base64url');
    const tag = `"${digest.slice(0, 27)}"`;
    exchange.response.setHeader('etag', tag);
    const held = exchange.header('if-none-match')?.split(',') ?? [];
    if (held.some((one) => one.trim().replace(/^W\//, '') === tag)) {
      exchange.response.statusCode = 304;
      exchange.response.end();
    } else {
      exchange.send(200, TYPES[name], body);
    }
  }

  /** Each is read once, when somebody asks for it. */
  #text(name: PageFile): string {
    const text = this.#read.get(name) ?? readFileSync(new URL(name, this.#folder), 'utf8');
    this.#read.set(name, text);
    return text;
  }
}

/** Addresses are relative to the last slash, so a proxy may put any prefix before them. */
function baseOf(exchange: RawExchange, path: string): string {
  const asked = exchange.path.split('/').at(-1)!;
  if (asked === '') return '';
  return `${PLAIN_SEGMENT.test(asked) ? asked : path.split('/').at(-1)!}/`;
}
