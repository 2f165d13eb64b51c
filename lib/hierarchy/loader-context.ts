import { InvalidArgumentError } from '../errors.js';
import { parseLifetime } from '../durations.js';
import type { LevelEntry } from '../levels/cache-level.js';
import type { RunningLoad } from '../memory/load-request.js';
import { LoaderContext, type CacheLoadContext } from '../memory/loader-context.js';
import type { StorePlan } from './call-options.js';
import { entryTags } from './entry-tags.js';

/** What a loader is told, and may say. */
export interface LoadContext extends CacheLoadContext {
  /**
   * The value that this load is to replace: an expired one in its grace, or the one that is refreshed.
   * `undefined` if there is none.
   */
  readonly stale: unknown;
  /** Adds tags to those of the call. They count from the moment the load began. */
  readonly tags: (tags: string | readonly string[]) => void;
  /** Has the value returned and not stored. */
  readonly skip: () => void;
  /**
   * Says that `stale` is still right: `return notModified()` gives it another lifetime, with the tags
   * it had.
   *
   * @throws {InvalidArgumentError} when there is no stale value
   */
  readonly notModified: () => never;
}

/** Names what this library may say of a value that it loads, and nobody else. */
export const WITHOUT_GRACE = Symbol('withoutGrace');

/** A context with that. */
export interface InternalLoadContext extends LoadContext {
  /** Says that the value must not be an answer once it has expired. */
  readonly [WITHOUT_GRACE]: () => void;
}

/** What {@link LoadContext.notModified} gives to be returned. */
export const NOT_MODIFIED = Symbol('notModified');

/** The context of one call of a loader: what it says goes to the plan and the ticket of its load. */
export class HierarchyLoaderContext extends LoaderContext implements InternalLoadContext {
  readonly stale: unknown;
  readonly tags: LoadContext['tags'];
  readonly skip: LoadContext['skip'];
  readonly notModified: LoadContext['notModified'];
  readonly [WITHOUT_GRACE]: () => void;

  constructor(
    load: Pick<RunningLoad, 'ticket' | 'signal'>,
    { shownKey, plan, stale }: { shownKey: string; plan: StorePlan; stale: LevelEntry | undefined },
  ) {
    super(load, shownKey, (ttl) => {
      plan.ttlMs = parseLifetime(ttl);
      plan.ttlIsOwn = true;
      plan.expiresAt = undefined;
    });
    this.stale = stale?.value;
    this.tags = (tags) => {
      load.ticket.tags = entryTags(tags, load.ticket.tags);
    };
    this.skip = () => {
      plan.skipped = true;
    };
    this[WITHOUT_GRACE] = () => {
      plan.policy = { ...plan.policy, graceMs: 0 };
    };
    this.notModified = () => {
      if (stale === undefined) {
        throw new InvalidArgumentError(
          'notModified() was called where there is no stale value. Look at stale before.',
        );
      }
      if (stale.tags !== undefined) load.ticket.tags = entryTags(stale.tags, load.ticket.tags);
      return NOT_MODIFIED as never;
    };
  }
}
