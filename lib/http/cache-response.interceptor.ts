import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { lastValueFrom, Observable } from 'rxjs';
import type { CachedRoute } from './cached-route.js';
import { HostNames } from './host-names.js';
import { HttpExchange } from './http-exchange.js';
import { ResponseCaching, type BodyToSend } from './response-caching.js';
import { cachedHandlerOf } from './route-metadata.js';

const METHODS = new Set(['GET', 'HEAD']);

/**
 * Answers requests to routes with `@CacheResponse()`, which brings it along, from the cache. Whatever else
 * it meets, other routes, methods and transports, it leaves alone; so it does where no
 * `CacheHierarchyModule` is imported, where the cache is switched off, and once it is closed.
 *
 * Register it for the whole application, with `APP_INTERCEPTOR`, to have it outside of other interceptors:
 * what they make of a response is stored then, and they do not run on a hit.
 */
@Injectable()
export class CacheResponseInterceptor implements NestInterceptor {
  /** `null` where no `CacheHierarchyModule` is imported. */
  private caching: ResponseCaching | null | undefined;
  private readonly hostNames = new HostNames();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly module: ModuleRef,
  ) {}

  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const caching = this.cachingOf(context);
    if (caching === undefined) return next.handle();
    const route = this.routeOf(context, caching);
    if (route === undefined || route.hindrance !== undefined) return next.handle();
    // What `switchToHttp` gives, without the object that it makes for it.
    const request = context.getArgByIndex<object>(0);
    const response = context.getArgByIndex<object>(1);
    const exchange = new HttpExchange(this.host.httpAdapter, request, response, this.hostNames);
    if (!METHODS.has(exchange.method) || !caching.isFree(request)) return next.handle();

    const run = (): Observable<unknown> => {
      caching.take(request);
      return next.handle();
    };
    const send = (body: BodyToSend): Observable<unknown> =>
      body === undefined ? run() : observableOf(body.value);
    const body = caching.answer(route, exchange, () => lastValueFrom(run()));
    return body instanceof Promise ? body.then(send) : send(body);
  }

  private cachingOf(context: ExecutionContext): ResponseCaching | undefined {
    if (context.getType() !== 'http') return undefined;
    this.caching ??= this.findCaching();
    return this.caching ?? undefined;
  }

  private routeOf(context: ExecutionContext, caching: ResponseCaching): CachedRoute | undefined {
    const type = context.getClass();
    const handler = context.getHandler();
    const known = caching.knownRoute(type, handler);
    if (known !== undefined) return known;
    const cached = cachedHandlerOf(handler);
    return cached && caching.routeOf(type, handler, cached);
  }

  /** The module need not be visible where the route is. */
  private findCaching(): ResponseCaching | null {
    try {
      return this.module.get(ResponseCaching, { strict: false });
    } catch {
      return null;
    }
  }
}

/** Does what `of` does for one value, in fewer steps. */
function observableOf(value: unknown): Observable<unknown> {
  return new Observable((subscriber) => {
    subscriber.next(value);
    subscriber.complete();
  });
}
