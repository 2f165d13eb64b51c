import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { HttpExchange } from './http-exchange.js';
import { ResponseCaching } from './response-caching.js';
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

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly module: ModuleRef,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const answer = await this.answer(context, () => lastValueFrom(next.handle()));
    return answer === undefined ? next.handle() : of(answer.value);
  }

  private answer(
    context: ExecutionContext,
    handle: () => Promise<unknown>,
  ): Promise<{ readonly value: unknown } | undefined> | undefined {
    if (context.getType() !== 'http') return undefined;
    const handler = context.getHandler();
    const cached = cachedHandlerOf(handler);
    this.caching ??= this.findCaching();
    const { caching } = this;
    if (cached === undefined || caching === null) return undefined;

    const http = context.switchToHttp();
    const request = http.getRequest<object>();
    const exchange = new HttpExchange(this.host.httpAdapter, request, http.getResponse());
    if (!METHODS.has(exchange.method) || !caching.takes(request)) return undefined;
    const route = caching.routeOf(context.getClass(), handler, cached);
    return route.hindrance === undefined ? caching.answer(route, exchange, handle) : undefined;
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
