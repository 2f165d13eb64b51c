import { InvalidArgumentError, show } from '../errors.js';
import type { CachesNow } from '../binding/named-caches.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CacheNamespace } from '../hierarchy/cache-namespace.js';
import type { InspectedEntry } from '../hierarchy/inspected-entry.js';
import { isRecord } from '../options.js';
import type { ActionAnswer, ActionRequest, EntryDetail } from './dashboard-state.js';
import { RefusedRequest } from './refused-request.js';
import { textOfValue } from './shown-text.js';

type Action = (cache: CacheHierarchy, request: ActionRequest) => Promise<ActionAnswer>;

/** What each action takes beside the cache, and does; the cache itself refuses what can be no key or name. */
const ACTIONS: Readonly<Record<string, { readonly takes: readonly string[]; run: Action }>> = {
  inspect: {
    takes: ['key', 'namespace'],
    run: async (cache, { key, namespace }) => {
      const entries = await viewOf(cache, namespace).inspect(key!);
      return { ok: true, entries: entries.map(detailOf) };
    },
  },
  delete: {
    takes: ['key', 'namespace'],
    run: async (cache, { key, namespace }) => {
      await viewOf(cache, namespace).delete(key!);
      return { ok: true };
    },
  },
  'invalidate-tags': {
    takes: ['tags'],
    run: async (cache, { tags }) => {
      if (!isTexts(tags) || tags.length === 0)
        throw new RefusedRequest(400, `tags must be a list of tags, got ${show(tags)}.`);
      await cache.invalidateTags(tags);
      return { ok: true };
    },
  },
  clear: {
    takes: ['namespace'],
    run: async (cache, { namespace }) => {
      await viewOf(cache, namespace).clear();
      return { ok: true };
    },
  },
};

/**
 * Does with a cache what a page asks for, by the methods that everybody calls.
 *
 * @throws {RefusedRequest} for what is not known, or can not be done
 */
export async function runAction(
  name: string,
  body: unknown,
  caches: CachesNow,
): Promise<ActionAnswer> {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new RefusedRequest(404, `There is no action ${show(name)}.`);
  const request = requestOf(body, action.takes);
  const all = caches();
  const cache = Object.hasOwn(all, request.cache) ? all[request.cache] : undefined;
  if (cache === undefined) {
    const known = Object.keys(all).join(', ');
    throw new RefusedRequest(404, `There is no cache ${show(request.cache)}; there are: ${known}.`);
  }
  try {
    return await action.run(cache, request);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new RefusedRequest(400, error.message);
    throw error;
  }
}

function requestOf(body: unknown, takes: readonly string[]): ActionRequest {
  if (!isRecord(body) || typeof body['cache'] !== 'string')
    throw new RefusedRequest(400, 'The body must be an object with the name of a cache as cache.');
  const unknown = Object.keys(body).find((name) => name !== 'cache' && !takes.includes(name));
  if (unknown !== undefined) {
    const known = ['cache', ...takes].join(', ');
    throw new RefusedRequest(400, `The body has an unknown ${show(unknown)}; known are ${known}.`);
  }
  return body as unknown as ActionRequest;
}

function viewOf(cache: CacheHierarchy, namespace: unknown): CacheHierarchy | CacheNamespace {
  if (namespace === undefined) return cache;
  if (!isTexts(namespace)) {
    const message = `namespace must be a list of names, the outermost first, got ${show(namespace)}.`;
    throw new RefusedRequest(400, message);
  }
  return namespace.reduce<CacheHierarchy | CacheNamespace>(
    (view, name) => view.namespace(name),
    cache,
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function detailOf(entry: InspectedEntry): EntryDetail {
  const { level, stale, tags, value } = entry;
  return {
    level,
    stale,
    freshForMs: finite(entry.freshForMs),
    keptForMs: finite(entry.keptForMs),
    ageMs: finite(entry.ageMs ?? Infinity),
    tags,
    value: textOfValue(value),
  };
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms) : null;
}
