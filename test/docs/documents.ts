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
