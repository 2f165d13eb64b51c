import { Logger } from '@nestjs/common';
import type { CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import { Sweeper, type SweepRun } from '../memory/sweeper.js';

const logger = new Logger('CacheCleanup');

/** Makes an application's sweeper, which logs each sweep that removed something at debug level. */
export function createSweeper({ clock, maxWorkers }: CacheHierarchyOptions): Sweeper {
  return new Sweeper({
    ...(clock === undefined ? {} : { clock }),
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
    onRun: logRun,
  });
}

function logRun({ name, removed, durationMs, longestSliceMs }: SweepRun): void {
  if (removed === 0) return;
  logger.debug(
    `Swept ${name}: ${removed} removed in ${durationMs.toFixed(1)} ms, ` +
      `longest slice ${longestSliceMs.toFixed(1)} ms.`,
  );
}
