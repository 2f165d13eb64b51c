import { UseInterceptors } from '@nestjs/common';
import { identifier, nameOfMethod } from '../binding/cacheable-methods.js';
import { InvalidArgumentError } from '../errors.js';
import {
  resolveResponseOptions,
  type CachedRequest,
  type CacheResponseOptions,
} from './cache-response-options.js';
import { CacheResponseInterceptor } from './cache-response.interceptor.js';
import { cachedHandlerOf, markHandler } from './route-metadata.js';

/**
 * Caches the responses of a route: status, body, and the headers that the handler sets. GET only; a HEAD
 * is answered with what a GET has stored. Guards run for every request; pipes and the handler do not run on
 * a hit.
 *
 * A response is shared by requests for the same host, path and query. Requests with credentials are not
 * cached unless `scope` says who may share it. What else the response depends on must be in its `Vary`, in
 * `vary` or in `key`.
 *
 * It brings its interceptor along, which stands inside those of the application and the controller: they
 * run on hits as well.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method, or twice
 */
export function CacheResponse<R extends object = CachedRequest>(
  options?: CacheResponseOptions<R>,
): MethodDecorator {
  return (prototype, name, descriptor) => {
    const handler: unknown = (descriptor as PropertyDescriptor | undefined)?.value;
    if (typeof handler !== 'function' || typeof prototype === 'function') {
      throw new InvalidArgumentError('@CacheResponse is for methods of controllers.');
    }
    const type = identifier(prototype.constructor.name);
    const subject = `@CacheResponse on ${type}.${nameOfMethod(name)}`;
    if (cachedHandlerOf(handler) !== undefined)
      throw new InvalidArgumentError(`${subject} is there twice. Remove one.`);
    markHandler(handler, { name, options: resolveResponseOptions(subject, options) });
    UseInterceptors(CacheResponseInterceptor)(prototype, name, descriptor);
  };
}
