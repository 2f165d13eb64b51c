import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CacheNamespace } from '../hierarchy/cache-namespace.js';
import { GET_OR_SET_NOW } from '../hierarchy/cache-view.js';
import { WITHOUT_SLOT, type InternalLoadOptions } from '../hierarchy/call-options.js';
import {
  WITHOUT_GRACE,
  type InternalLoadContext,
  type LoadContext,
} from '../hierarchy/loader-context.js';
import { forbidsStale, freshnessOf } from './cache-control.js';
import type { CachedRoute } from './cached-route.js';
import { restoreHead } from './head-change.js';
import type { HttpExchange, ResponseHeaders } from './http-exchange.js';
import { bodyKindOf } from './response-body.js';
import { responseKey, varyDigest, type RequestIdentity } from './response-key.js';
import {
  answers,
  asSnapshot,
  isKeepable,
  takeSnapshot,
  type ResponseSnapshot,
} from './response-snapshot.js';

/** A request to a route whose responses are cached. */
export interface CachedCall {
  readonly route: CachedRoute;
  readonly exchange: HttpExchange;
  readonly identity: RequestIdentity;
  readonly tags: readonly string[] | undefined;
  /** Runs the handler. */
  readonly handle: () => Promise<unknown>;
}

/** What a request is answered with. */
export type Answer =
  /** The handler ran for it; there is a snapshot if its response was stored. */
  | { readonly value: unknown; readonly stored: ResponseSnapshot | undefined }
  /** A stored response. */
  | { readonly replayed: ResponseSnapshot }
  /** Nothing: the request is to run its own handler, and nothing of it is stored. */
  | undefined;

/** What {@link ResponseCache} is made of. */
export interface ResponseCachePorts {
  readonly cache: Pick<CacheHierarchy, 'namespace'>;
  /** Whether all levels give back the very object they were given. */
  readonly keepsObjects: boolean;
  readonly wallNow: () => number;
  /** Hears of a body that is not kept since a level would lose its class. */
  readonly refused: (route: CachedRoute) => void;
}

/** What a load brings whose response is not stored: those who waited for it run their own handlers. */
const UNSTORED = { unstored: true } as const;

/** Asks the cache for a key that has these request headers in it. */
type Ask = (key: string, varyNames: readonly string[]) => unknown;

type Sought = ResponseSnapshot | undefined | Promise<ResponseSnapshot | undefined>;

/** The run of a handler for the request that leads. */
interface OwnRun {
  /** The head of the response before the handler ran; `undefined` while it has not. */
  before: ResponseHeaders | undefined;
  result: { readonly value: unknown; readonly stored: ResponseSnapshot | undefined } | undefined;
}

/**
 * Keeps responses in a namespace of the cache. One request leads and runs its handler, those that come
 * meanwhile wait for its response. A response that varies names the request headers it varies on, and
 * what the leader's said: whoever does not match asks again, under a key that has these headers in it.
 */
export class ResponseCache {
  readonly #ports: ResponseCachePorts;
  #namespace: CacheNamespace | undefined;

  constructor(ports: ResponseCachePorts) {
    this.#ports = ports;
  }

  /**
   * Answers a GET, and stores its response if that may be.
   *
   * @throws what the handler throws, if it is the one of this request
   */
  load(call: CachedCall): Answer | Promise<Answer> {
    const own: OwnRun = { before: undefined, result: undefined };
    const found = (snapshot: ResponseSnapshot | undefined): Answer => {
      if (own.result !== undefined) return own.result;
      // Its handler has failed, and a stale response stands in for what it has begun.
      if (own.before !== undefined && !call.exchange.isSent) restoreHead(call.exchange, own.before);
      return replayOf(snapshot);
    };
    const failed = (error: unknown): Answer => {
      if (own.result !== undefined) return own.result;
      // An error of somebody else's handler is about somebody else's request.
      if (own.before !== undefined) throw error;
      return undefined;
    };
    try {
      const sought = this.#find(call, (key, names) =>
        this.#http[GET_OR_SET_NOW](
          key,
          (context) => this.#lead(call, { names, own, context }),
          optionsOf(call),
        ),
      );
      return sought instanceof Promise ? sought.then(found, failed) : found(sought);
    } catch (error) {
      return failed(error);
    }
  }

  /** Answers a HEAD with what a GET has stored. */
  async lookUp(call: CachedCall): Promise<Answer> {
    return replayOf(await this.#find(call, (key) => this.#http.get(key)));
  }

  get #http(): CacheNamespace {
    this.#namespace ??= this.#ports.cache.namespace('http');
    return this.#namespace;
  }

  /**
   * Asks until what is found answers the request, or there is nothing to learn from it. What is there is
   * found at once: a hit waits for nothing.
   */
  #find(call: CachedCall, ask: Ask): Sought {
    const { route, exchange, identity } = call;
    const names = route.varyNames;
    const judge = (value: unknown): Sought => {
      const found = asSnapshot(value);
      if (found === undefined || answers(found, exchange)) return found;
      route.learn(found.vary!.names);
      return route.varyNames === names ? undefined : this.#find(call, ask);
    };
    const value = ask(responseKey(route, identity, varyDigest(exchange, names)), names);
    return value instanceof Promise ? value.then(judge) : judge(value);
  }

  /** Runs the handler of the request that leads; what may not be stored is not. */
  async #lead(
    call: CachedCall,
    { names, own, context }: { names: readonly string[]; own: OwnRun; context: LoadContext },
  ): Promise<unknown> {
    const known = await this.#storedBeforeLearning(call, names, context);
    if (known !== undefined) return known;
    own.before = call.exchange.headers();
    const before = call.exchange.headersWithCookies();
    const value = await call.handle();
    const stored = this.#snapshotOf(call, before, value, context);
    own.result = { value, stored };
    if (stored !== undefined) return stored;
    context.skip();
    return UNSTORED;
  }

  #snapshotOf(
    { route, exchange }: CachedCall,
    before: ResponseHeaders,
    value: unknown,
    context: LoadContext,
  ): ResponseSnapshot | undefined {
    const { keepsObjects, wallNow, refused } = this.#ports;
    const after = exchange.headersWithCookies();
    const kind = bodyKindOf(value);
    const handled = { route, exchange, before, after, value, kind };
    if (!isKeepable(handled)) return undefined;
    if (kind === 'object' && !keepsObjects) {
      refused(route);
      return undefined;
    }
    const freshMs = route.options.ttlMs ?? freshnessOf(after, wallNow());
    if (freshMs === 0) return undefined;
    if (freshMs !== undefined) context.ttl(freshMs);
    if (forbidsStale(after)) (context as InternalLoadContext)[WITHOUT_GRACE]();
    return takeSnapshot(handled, wallNow());
  }

  /**
   * Returns the response that was stored before it was known on which headers the route varies, if it
   * answers this request, for as long as it has to live.
   */
  async #storedBeforeLearning(
    { route, exchange, identity }: CachedCall,
    names: readonly string[],
    context: LoadContext,
  ): Promise<ResponseSnapshot | undefined> {
    if (names === route.options.vary) return undefined;
    const key = responseKey(route, identity, varyDigest(exchange, route.options.vary));
    const entries = (await this.#http.inspect(key)).filter(({ stale }) => !stale);
    const longest = entries.toSorted((one, other) => other.freshForMs - one.freshForMs)[0];
    const snapshot = asSnapshot(longest?.value);
    if (snapshot === undefined || !answers(snapshot, exchange)) return undefined;
    context.ttl(longest!.freshForMs);
    return snapshot;
  }
}

function replayOf(snapshot: ResponseSnapshot | undefined): Answer {
  return snapshot && { replayed: snapshot };
}

/**
 * A handler needs its request: nothing runs behind a response that was sent, and nobody who leads gets an
 * error before its handler has ended. Nor does a handler take a slot that what it calls may need.
 */
const LOAD_OPTIONS = Object.freeze<InternalLoadOptions>({
  eager: false,
  softTimeout: false,
  hardTimeout: false,
  waitTimeout: Infinity,
  [WITHOUT_SLOT]: true,
});

function optionsOf({ tags }: CachedCall): InternalLoadOptions {
  return tags === undefined || tags.length === 0 ? LOAD_OPTIONS : { ...LOAD_OPTIONS, tags };
}
