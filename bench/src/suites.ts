import { claims } from './suites/claims.js';
import { decorator } from './suites/decorator.js';
import { engine } from './suites/engine.js';
import { hierarchy } from './suites/hierarchy.js';
import { http } from './suites/http.js';
import { redis } from './suites/redis.js';
import { telemetry } from './suites/telemetry.js';
import type { Suite } from './harness/suite.js';

/** Every suite, in the order they run. */
export const suites: readonly Suite[] = [
  engine,
  claims,
  hierarchy,
  decorator,
  http,
  redis,
  telemetry,
];
