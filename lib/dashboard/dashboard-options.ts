import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { isRecord, OptionReader } from '../options.js';

/** Where the dashboard is and who may see it: known before there is anything to inject. */
export interface DashboardRoute {
  /**
   * The path of the page, below the global prefix of the application if it has one: parts of letters, digits and
   * `. _ ~ -`, separated by `/`.
   * @default 'cache'
   */
  readonly path?: string;
  /**
   * Who may see the dashboard: a guard, or the class of one, which is made where the dashboard is, with what
   * `imports` export. `null` lets everybody see it whom the application lets in; `mutations` are refused then.
   */
  readonly guard: Type<CanActivate> | CanActivate | null;
}

/** What the dashboard shows and does. Every option has a default. */
export interface DashboardSettings {
  /**
   * Whether the page can inspect and delete keys, invalidate tags and clear caches.
   * @default false
   */
  readonly mutations?: boolean;
  /**
   * Whether keys are shown, among the hottest and the recent invalidations. Else it is the first 12 digits of their
   * SHA-256, which hides them from a glance, not from who guesses them. What is inspected is shown either way.
   * @default false
   */
  readonly revealKeys?: boolean;
}

/** Options of `CacheDashboardModule.forRoot`. */
export interface CacheDashboardOptions extends DashboardRoute, DashboardSettings {
  /**
   * The modules that export what the guard injects.
   * @default none
   */
  readonly imports?: ModuleMetadata['imports'];
}

/** The options of a dashboard's routes, checked. */
export type ResolvedRoute = Required<DashboardRoute>;

/** The options of a dashboard, checked. */
export type ResolvedSettings = Required<DashboardSettings>;

const SUBJECT = 'CacheDashboardModule';
const PATH = /^\/?[\w.~-]+(\/[\w.~-]+)*$/;

/**
 * Checks all options of a dashboard.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveOptions(options: CacheDashboardOptions): ResolvedRoute & ResolvedSettings {
  const read = new OptionReader(SUBJECT, options);
  read.raw('imports');
  const route = routeIn(read);
  const resolved = { ...route, ...settingsIn(read, route) };
  read.finish();
  return resolved;
}

/**
 * Checks where the dashboard is to be and who may see it, among other options that are not looked at.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with that
 */
export function resolveRoute({ path, guard }: DashboardRoute): ResolvedRoute {
  const read = new OptionReader(SUBJECT, { path, guard });
  const resolved = routeIn(read);
  read.finish();
  return resolved;
}

/**
 * Checks what the dashboard is to show and do.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with that
 */
export function resolveSettings(
  options: DashboardSettings | undefined,
  route: ResolvedRoute,
): ResolvedSettings {
  const read = new OptionReader(SUBJECT, options);
  const resolved = settingsIn(read, route);
  read.finish();
  return resolved;
}

function routeIn(read: OptionReader): ResolvedRoute {
  const path = read.raw('path') ?? 'cache';
  const isPath = typeof path === 'string' && PATH.test(path);
  if (!isPath) read.reject('path', 'must be parts of letters, digits and . _ ~ -, separated by /');
  const guard = read.raw('guard');
  if (!isGuard(guard))
    read.reject('guard', 'must be a guard, the class of one, or null for whoever comes');
  return { path: isPath ? path.replace(/^\//, '') : '', guard: guard as ResolvedRoute['guard'] };
}

function settingsIn(read: OptionReader, { guard }: ResolvedRoute): ResolvedSettings {
  const mutations = read.boolean('mutations', false);
  if (mutations && guard === null)
    read.reject('mutations', 'needs a guard: everybody could clear the caches');
  return { mutations, revealKeys: read.boolean('revealKeys', false) };
}

/** Every class may be one: its method need not be on its prototype. */
function isGuard(guard: unknown): guard is ResolvedRoute['guard'] {
  if (typeof guard === 'function') return guard.prototype !== undefined;
  return guard === null || (isRecord(guard) && typeof guard['canActivate'] === 'function');
}
