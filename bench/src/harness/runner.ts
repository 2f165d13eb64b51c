import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Case, Sample, Suite } from './suite.js';

/** One measurement to take: a subject of a case in a round. */
export interface PlannedCell {
  readonly suite: Suite;
  readonly case: Case;
  readonly subject: string;
  readonly round: number;
}

/** All rounds of a case: each subject's samples, one per round. */
export type Rounds = Readonly<Record<string, readonly Sample[]>>;

const CELL = fileURLToPath(new URL('cell.js', import.meta.url));
const CELL_DEADLINE_MS = 10 * 60_000;

/**
 * Plans a case's cells: round by round, the subjects in turn and every second round backwards
 * (A B B A). What drifts while a round runs (heat, a neighbour, the disk) then favours nobody.
 */
export function planCells(suite: Suite, measured: Case, rounds: number): readonly PlannedCell[] {
  const subjects = Object.keys(measured.subjects);
  return Array.from({ length: rounds }, (_, round) => {
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    return order.map((subject) => ({ suite, case: measured, subject, round }));
  }).flat();
}

/**
 * Runs a case's cells one after the other, each in a process of its own.
 *
 * @param onCell is called before each cell
 * @throws {Error} when a cell fails or the subjects of a round did not do the same work
 */
export async function runCells(cells: readonly PlannedCell[], onCell: () => void): Promise<Rounds> {
  const rounds: Record<string, Sample[]> = {};
  const checksums: number[] = [];
  for (const cell of cells) {
    onCell();
    const sample = await runCell(cell);
    const { checksum } = sample;
    checksums[cell.round] ??= checksum;
    if (checksum !== checksums[cell.round]) {
      const others = checksums[cell.round];
      throw new Error(`${nameOf(cell)} came to ${checksum}, the subject before it to ${others}.`);
    }
    (rounds[cell.subject] ??= []).push(sample);
  }
  return rounds;
}

/** Names a cell for people. */
export function nameOf({ suite, case: measured, subject, round }: PlannedCell): string {
  return `${suite.name}: ${measured.name}: ${subject}, round ${round + 1}`;
}

function runCell(cell: PlannedCell): Promise<Sample> {
  const words = [cell.suite.name, cell.case.name, cell.subject, String(cell.round)];
  const child = fork(CELL, words, {
    execArgv: ['--enable-source-maps', '--expose-gc'],
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    timeout: CELL_DEADLINE_MS,
  });
  return new Promise((resolve, reject) => {
    let sample: Sample | undefined;
    child.once('message', (message) => (sample = message as Sample));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0 && sample !== undefined) resolve(sample);
      else reject(new Error(`${nameOf(cell)} failed (${signal ?? `exit code ${code}`}).`));
    });
  });
}
