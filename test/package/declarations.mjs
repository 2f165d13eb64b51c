import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

import { expectThat } from './expect-that.mjs';
import { run } from './run.mjs';
import { ENTRIES, listFiles, PACKAGE, readJson } from './workspace.mjs';

/** What a strict application compiles with; `skipLibCheck` off makes our declarations count. */
const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  experimentalDecorators: true,
  skipLibCheck: false,
  noEmit: true,
};

export function checkExportedNames({ folder, installed }) {
  const { exports } = readJson(join(installed, 'package.json'));
  for (const entry of ENTRIES) {
    const name = entry.replace('.', PACKAGE);
    const script = `console.log(JSON.stringify(Object.keys(await import('${name}'))))`;
    const printed = run('node', ['--input-type=module', '-e', script], { cwd: folder });
    const exported = JSON.parse(printed);
    const declared = declaredValues(join(installed, exports[entry].types), folder);
    expectSame(`${name}: exported at run time but not declared`, exported, declared);
    expectSame(`${name}: declared but not exported at run time`, declared, exported);
  }
}

export function checkDeclarations({ folder, installed }) {
  const files = listFiles(installed)
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => join(installed, file));
  const internal = files.filter((file) => readFileSync(file, 'utf8').includes('@internal'));
  expectThat(internal.length === 0, `@internal is declared in ${internal.join(', ')}.`);

  const program = createProgram(files, folder);
  // Peers' declarations are their own affair: only what is wrong in ours fails.
  const problems = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || file.fileName.startsWith(installed));
  expectThat(problems.length === 0, ts.formatDiagnostics(problems, formatHost(folder)));
}

/** Returns the names of everything a module declares that exists at run time. */
function declaredValues(entry, folder) {
  const program = createProgram([entry], folder);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
  return checker
    .getExportsOfModule(module)
    .filter((symbol) => isValue(symbol, checker))
    .map((symbol) => symbol.name);
}

function isValue(symbol, checker) {
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  const isTypeOnly = symbol.declarations?.some(
    (declaration) =>
      ts.isExportSpecifier(declaration) && ts.isTypeOnlyExportDeclaration(declaration),
  );
  const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
  return !isTypeOnly && (target.flags & ts.SymbolFlags.Value) !== 0;
}

function createProgram(files, folder) {
  const host = ts.createCompilerHost(OPTIONS);
  host.getCurrentDirectory = () => folder;
  return ts.createProgram(files, OPTIONS, host);
}

function expectSame(problem, names, others) {
  const missing = names.filter((name) => !others.includes(name));
  expectThat(missing.length === 0, `${problem}: ${missing.join(', ')}`);
}

function formatHost(folder) {
  return {
    getCurrentDirectory: () => folder,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  };
}
