/**
 * Checked by the compiler, never run: the types by which an application names what a cache takes and gives.
 */
import type {
  CacheHierarchy,
  CacheHierarchyOptions,
  CacheView,
  HierarchyMetrics,
  Isolation,
  LowerLevelMetrics,
} from 'nestjs-cache-hierarchy';

export const isolationOf = ({ isolation = 'reference' }: CacheHierarchyOptions): Isolation =>
  isolation;

export const remoteOf = ({ lower }: HierarchyMetrics): LowerLevelMetrics | undefined =>
  lower.remote;

/** A cache or one of its namespaces. */
export const viewOf = (cache: CacheHierarchy, name: string | undefined): CacheView =>
  name === undefined ? cache : cache.namespace(name);
