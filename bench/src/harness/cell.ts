/**
 * The process of one cell: `node cell.js <suite> <case> <subject> <round>` measures one subject once
 * and sends its sample to the runner.
 */
import { suites } from '../suites.js';

const [suiteName, caseName, subjectName = '', round] = process.argv.slice(2);
const measured = suites
  .find(({ name }) => name === suiteName)
  ?.cases.find(({ name }) => name === caseName);
const subject = measured?.subjects[subjectName] ?? measured?.peers?.[subjectName];
if (subject === undefined || process.send === undefined) {
  throw new Error('A cell is started by the runner: use `npm run bench`.');
}

const sample = await subject({ round: Number(round) });
process.send(sample, () => process.disconnect());
