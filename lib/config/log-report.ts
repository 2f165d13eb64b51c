import { Logger } from '@nestjs/common';
import type { Report } from '../report.js';

const logger = new Logger('CacheHierarchy');

/** Logs what the cache reports as warnings of the application. */
export const logReport: Report = ({ message, cause }) => {
  if (cause === undefined) logger.warn(message);
  else logger.warn(message, cause);
};
