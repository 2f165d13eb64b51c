import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';

/** The name of the cache of searches. */
export const SEARCHES = 'searches';

/**
 * The idea: what people type has no end, so it has a cache of its own and evicts nothing else. One
 * level will do. Whoever injects it imports this very object.
 */
export const searchesCache = CacheHierarchyModule.forFeature([
  { name: SEARCHES, l1: { ttl: '10m', maxEntries: 2_000 }, l2: false },
]);
