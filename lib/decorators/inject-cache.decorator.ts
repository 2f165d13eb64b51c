import { Inject } from '@nestjs/common';
import { getCacheToken } from '../cache-hierarchy.constants.js';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';

/**
 * Injects a named cache, or without a name the application's default one, as the class `CacheHierarchy`
 * does by itself in a constructor.
 *
 * @throws {InvalidArgumentError} at decoration, when the name is not one that a cache can have
 */
export function InjectCache(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(name === undefined ? CacheHierarchy : getCacheToken(name));
}
