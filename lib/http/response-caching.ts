import type { ClassLike } from '../binding/cacheable-methods.js';
import { systemClock } from '../clock.js';
import { InvalidArgumentError } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { entryTags } from '../hierarchy/entry-tags.js';
import { isLevel, type CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import { emitProcessWarning, type Report } from '../report.js';
import { CachedRoutes, type CachedRoute } from './cached-route.js';
import type { HttpExchange } from './http-exchange.js';
import { ReplayedBodies } from './replayed-bodies.js';
import { identityOf } from './request-identity.js';
import { ResponseCache, type Answer, type CachedCall } from './response-cache.js';
import { completeHead, replayHead, tellStatus } from './response-head.js';
import type { CachedHandler } from './route-metadata.js';

/** What the interceptor is to return; `undefined` when it is to run the handler, which has not run then. */
export type BodyToSend = { readonly value: unknown } | undefined;

/** The caching of responses in one application: what all its interceptors share. */
export class ResponseCaching {
  readonly #cache: CacheHierarchy;
  readonly #wallNow: () => number;
  readonly #report: Report;
  readonly #responses: ResponseCache;
  readonly #routes = new CachedRoutes();
  readonly #bodies = new ReplayedBodies();
  /** Stands on requests that an interceptor has taken. */
  readonly #taken = Symbol('taken');

  constructor(cache: CacheHierarchy, options: CacheHierarchyOptions) {
    const clock = options.clock ?? systemClock;
    this.#cache = cache;
    this.#wallNow = () => clock.wallNow();
    this.#report = options.report ?? emitProcessWarning;
    this.#responses = new ResponseCache({
      cache,
      keepsObjects: keepsObjects(options),
      wallNow: this.#wallNow,
      refused: (route) => this.#warn(route, OBJECT_REFUSED),
    });
  }

  /**
   * Whether no interceptor has taken a request. Where one is registered for all routes, and the one of the
   * decorator is inside it, the outer one does the work.
   */
  isFree(request: object): boolean {
    return this.#cache.active && (request as Record<symbol, unknown>)[this.#taken] === undefined;
  }

  /** Takes a request, before anything runs in which another interceptor may be: on a hit nothing does. */
  take(request: object): void {
    (request as Record<symbol, unknown>)[this.#taken] = true;
  }

  /** Returns a route that was asked for before, `undefined` for any other. */
  knownRoute(type: ClassLike, handler: object): CachedRoute | undefined {
    return this.#routes.known(type, handler);
  }

  routeOf(type: ClassLike, handler: object, cached: CachedHandler): CachedRoute {
    return this.#routes.of(type, handler, cached, (route) => {
      if (route.hindrance === undefined) return;
      const message = `the responses of {route} are not cached: it ${route.hindrance}.`;
      this.#warn(route, { code: 'CACHE_RESPONSE_UNSEEN', message });
    });
  }

  /**
   * Answers a request from the cache, or with its own handler.
   *
   * @returns `undefined` when the caller is to run the handler, which has not run then
   * @throws what the handler throws, or a function of the route
   */
  answer(
    route: CachedRoute,
    exchange: HttpExchange,
    handle: CachedCall['handle'],
  ): BodyToSend | Promise<BodyToSend> {
    const identity = identityOf(route, exchange);
    const tags = identity && this.#tagsOf(route, exchange);
    if (identity === undefined || tags === undefined) {
      if (!exchange.isSent) tellStatus(exchange, 'fwd=bypass');
      return undefined;
    }
    const call = { route, exchange, identity, tags, handle };
    const responses = this.#responses;
    const answer = exchange.method === 'HEAD' ? responses.lookUp(call) : responses.load(call);
    if (!(answer instanceof Promise)) return this.#write(route, exchange, answer);
    return answer.then((answered) => this.#write(route, exchange, answered));
  }

  #write(route: CachedRoute, exchange: HttpExchange, answer: Answer): BodyToSend {
    if (!exchange.isSent) this.#writeHead(route, exchange, answer);
    if (answer === undefined) return undefined;
    return 'replayed' in answer
      ? { value: this.#bodies.replay(answer.replayed, exchange) }
      : answer;
  }

  #writeHead(route: CachedRoute, exchange: HttpExchange, answer: Answer): void {
    if (answer === undefined) {
      tellStatus(exchange, 'fwd=miss');
    } else if ('replayed' in answer) {
      replayHead(exchange, answer.replayed, this.#wallNow());
      completeHead(exchange, route, answer.replayed);
      tellStatus(exchange, 'hit');
    } else {
      if (answer.stored !== undefined) completeHead(exchange, route, answer.stored);
      tellStatus(exchange, answer.stored === undefined ? 'fwd=miss' : 'fwd=miss; stored');
    }
  }

  /** A tag that the cache refuses, such as one made of a long path, must not make the request fail. */
  #tagsOf(route: CachedRoute, { request }: HttpExchange): readonly string[] | undefined {
    const tags = route.options.tagsOf(request);
    if (Array.isArray(tags) && tags.length === 0) return tags;
    try {
      return entryTags(tags) ?? [];
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      this.#warn(route, {
        code: 'CACHE_RESPONSE_TAGS',
        message: `a request to {route} was not cached: ${error.message}`,
      });
      return undefined;
    }
  }

  #warn(route: CachedRoute, { code, message }: { code: string; message: string }): void {
    if (!route.firstTime(code)) return;
    this.#report({
      code,
      message: `@CacheResponse: ${message.replace('{route}', () => route.title)}`,
    });
  }
}

const OBJECT_REFUSED = {
  code: 'CACHE_RESPONSE_OBJECT',
  message:
    'the responses of {route} are not cached: it returns instances of a class, which a level outside this ' +
    "process, one of your own, or isolation: 'clone' would give back without their class, so that no " +
    'serializer would leave anything out. Return plain objects, or register CacheResponseInterceptor ' +
    'outside of the serializer.',
};

/** Whether what is stored comes back as the same object from every level. */
function keepsObjects({ isolation, l2, remote }: CacheHierarchyOptions): boolean {
  return isolation !== 'clone' && remote === undefined && !isLevel(l2);
}
