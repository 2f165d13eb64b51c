import { parseLifetime } from '../durations.js';
import type { RunningLoad } from '../memory/load.js';
import { LoaderContext, type CacheLoadContext } from '../memory/loader-context.js';
import { entryTags, type StorePlan } from './call-options.js';

/** What a loader is told, and may say. */
export interface LoadContext extends CacheLoadContext {
  /** Adds tags to those of the call. They count from the moment the load began. */
  readonly tags: (tags: string | readonly string[]) => void;
}

/** The context of one call of a loader: what it says goes to the plan and the ticket of its load. */
export class HierarchyLoaderContext extends LoaderContext implements LoadContext {
  readonly tags: LoadContext['tags'];

  constructor(load: Pick<RunningLoad, 'ticket' | 'signal'>, key: string, plan: StorePlan) {
    super(load, key, (ttl) => {
      plan.ttlMs = parseLifetime(ttl);
    });
    this.tags = (tags) => {
      load.ticket.tags = entryTags(tags, load.ticket.tags);
    };
  }
}
