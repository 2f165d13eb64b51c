import { claims } from './suites/claims.js';
import { engine } from './suites/engine.js';
import { hierarchy } from './suites/hierarchy.js';
import type { Suite } from './harness/suite.js';

/** Every suite, in the order they run. */
export const suites: readonly Suite[] = [engine, claims, hierarchy];
