import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder: Jest runs there. */
export const root = process.cwd();

/** The documents that users read, with their text. */
export function documents(): { readonly name: string; readonly text: string }[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', ...pages].map((name) => ({ name, text: read(name) }));
}

export function read(name: string): string {
  return readFileSync(join(root, name), 'utf8');
}

/** The code blocks of one language. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)]
    .filter(([, name]) => name === language)
    .map(([, , code]) => code!);
}

/** Where the links and pictures of a text lead, but for those that leave the project. */
export function links(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The names under which links reach the headings of a text: those that GitHub gives them. */
export function headings(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const name = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${before}`;
  });
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```.*?^```/gms, '');
}

/** The rows of the table under a heading, cell by cell, without their Markdown. */
export function tableUnder(text: string, heading: string): string[][] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`));
  const rows = (section ?? '').split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}
