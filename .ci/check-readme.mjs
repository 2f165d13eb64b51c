/**
 * Holds the README against what is run here: each command given must be a line of one of its code
 * blocks, and every npm script that a block runs must exist.
 *
 * `node .ci/check-readme.mjs <command>…`
 */
import { readFileSync } from 'node:fs';

/** What npm does without a script of ours. */
const NPM_COMMANDS = new Set(['ci', 'i', 'install', 'pack', 'add']);

const readme = readFileSync('README.md', 'utf8');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The lines of the shell blocks, without prompts and comments. */
const lines = [...readme.matchAll(/^```(?:sh|bash|shell|console)\n(.*?)^```/gms)]
  .flatMap(([, block]) => block.split('\n'))
  .map((line) =>
    line
      .replace(/^\$ /, '')
      .replace(/\s+#.*$/, '')
      .trim(),
  );

const problems = process.argv
  .slice(2)
  .filter((command) => !lines.includes(command))
  .map((command) => `README.md has no line \`${command}\` in a shell block.`);

for (const line of lines) {
  for (const [, script] of line.matchAll(/\bnpm (?:run )?(?:--silent )?([\w:-]+)/g)) {
    const isScript = script in scripts || NPM_COMMANDS.has(script);
    if (!isScript) problems.push(`README.md runs \`${line}\`: package.json has no ${script}.`);
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
