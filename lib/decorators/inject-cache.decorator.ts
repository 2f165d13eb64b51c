import { Inject } from '@nestjs/common';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';

/** Injects the application's cache, as the class `CacheHierarchy` does by itself in a constructor. */
export function InjectCache(): PropertyDecorator & ParameterDecorator {
  return Inject(CacheHierarchy);
}
