import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { documents, headings, links, read, root } from './documents.js';

const names = [...documents().map(({ name }) => name), 'CHANGELOG.md'];

/** Where a link of a document leads: a path from the root, and the heading it names. */
function targetOf(document: string, link: string): { path: string; heading: string | undefined } {
  const [path = '', heading] = link.split('#');
  return { path: path === '' ? document : normalize(join(dirname(document), path)), heading };
}

/** Whether a link leads somewhere, and to a heading that is there. */
function leadsAnywhere(document: string, link: string): boolean {
  const { path, heading } = targetOf(document, link);
  if (!existsSync(join(root, path))) return false;
  return heading === undefined || headings(read(path)).includes(heading);
}

describe('the links of the documentation', () => {
  it.each(names)('%s links to files and headings that are there', (name) => {
    expect(links(read(name)).filter((link) => !leadsAnywhere(name, link))).toEqual([]);
  });

  it('lead from the README to every page', () => {
    const reached = new Set(['README.md']);
    for (const name of reached) {
      const pages = links(read(name)).map((link) => targetOf(name, link).path);
      for (const page of pages) if (names.includes(page)) reached.add(page);
    }

    expect(names.filter((name) => !reached.has(name))).toEqual([]);
  });

  it('name headings as GitHub does', () => {
    const text = '# `expire(key)`: what, why\n```sh\n# a comment\n```\n## Twice\n## Twice\n';

    expect(headings(text)).toEqual(['expirekey-what-why', 'twice', 'twice-1']);
  });
});
