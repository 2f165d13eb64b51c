import { Logger } from '@nestjs/common';
import type { Report } from '../report.js';

/** Logs what a cache reports as warnings of the application, a named one under its name. */
export const logReport: Report = ({ message, cache, cause }) => {
  const logger = new Logger(cache === undefined ? 'CacheHierarchy' : `CacheHierarchy ${cache}`);
  if (cause === undefined) logger.warn(message);
  else logger.warn(message, cause);
};
