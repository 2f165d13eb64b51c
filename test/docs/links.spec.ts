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

  it('lead from the README to the index, and from there to every page', () => {
    const index = 'docs/README.md';
    const pages = names.filter((name) => name.startsWith('docs/') && name !== index);
    const listed = links(read(index)).map((link) => targetOf(index, link).path);

    expect(links(read('README.md'))).toEqual(expect.arrayContaining([index, 'CHANGELOG.md']));
    expect(listed.filter((page) => page !== 'README.md').toSorted()).toEqual(pages.toSorted());
  });

  it('name headings as GitHub does', () => {
    const text = '# `expire(key)`: what, why\n```sh\n# a comment\n```\n## Twice\n## Twice\n';

    expect(headings(text)).toEqual(['expirekey-what-why', 'twice', 'twice-1']);
  });
});
