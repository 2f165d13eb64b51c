import { Inject, Optional } from '@nestjs/common';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { isRetired, soleLiveCache } from './live-caches.js';

/** The property that Nest injects the cache into, and the one that its setter keeps it in. */
const SLOT = Symbol.for('nestjs-cache-hierarchy:slot');
const LINK = Symbol.for('nestjs-cache-hierarchy:link');

interface CacheHost {
  [SLOT]: CacheHierarchy | undefined;
}

/** The links of instances that take no property: frozen ones. */
const linksOfFrozen = new WeakMap<object, CacheHierarchy>();

/**
 * Gives a class the slot through which its instances find their cache.
 *
 * Nest injects it like any optional property, so each instance gets the cache of its own application:
 * request-scoped, transient, lazily loaded and `moduleRef.create`d ones too, and those of subclasses.
 * The slot is an accessor on the prototype that keeps the cache in a non-enumerable own property,
 * which tests do not see in `toEqual` and which a proxy around the instance passes through.
 */
export function defineSlot(prototype: object): void {
  if (SLOT in prototype) return;
  Object.defineProperty(prototype, SLOT, {
    configurable: true,
    get(this: object) {
      return (this as { [LINK]?: CacheHierarchy })[LINK] ?? linksOfFrozen.get(this);
    },
    set: link,
  });
  Optional()(prototype, SLOT);
  Inject(CacheHierarchy)(prototype, SLOT);
}

/** Whether a value is an instance of a class with a decorated method. */
export function isCacheHost(value: unknown): value is object {
  return typeof value === 'object' && value !== null && SLOT in value;
}

/** Returns the cache that an instance was linked to, if it was. */
export function linkedCacheOf(host: object): CacheHierarchy | undefined {
  return (host as CacheHost)[SLOT];
}

/** Does what {@link linkedCacheOf} does for whatever it is, in one step; a frozen instance has no link of its own. */
export function ownLinkOf(value: unknown): CacheHierarchy | undefined {
  return (value as { readonly [LINK]?: CacheHierarchy } | null | undefined)?.[LINK];
}

/**
 * Returns the cache of an instance's application; where nobody linked the instance, the one of the
 * only application in the process. `undefined` means that calls go through uncached.
 */
export function cacheOf(host: object): CacheHierarchy | undefined {
  return linkedCacheOf(host) ?? soleLiveCache();
}

/**
 * Links an instance that Nest did not build, a useValue or useFactory provider, to a cache. An
 * instance that two applications share stays with the first as long as that one lives.
 */
export function linkHost(host: object, cache: CacheHierarchy): void {
  const linked = linkedCacheOf(host);
  if (linked === undefined || isRetired(linked)) (host as CacheHost)[SLOT] = cache;
}

function link(this: object, cache: CacheHierarchy): void {
  const property = { value: cache, configurable: true, writable: true, enumerable: false };
  if (!Reflect.defineProperty(this, LINK, property)) linksOfFrozen.set(this, cache);
}
