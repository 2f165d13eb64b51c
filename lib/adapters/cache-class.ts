import type { Type } from '@nestjs/common';

/** Not written in the import itself, which compilers and bundlers would resolve. */
const PACKAGE: string = '@nestjs/cache-manager';

/**
 * Returns the class `Cache` of @nestjs/cache-manager, which its users inject by, or `undefined` where that
 * package is not installed or can not be loaded: then nobody has the class to inject by.
 */
export async function findCacheClass(): Promise<Type | undefined> {
  const loaded = await import(PACKAGE).catch(() => undefined);
  const { Cache } = (loaded ?? {}) as { Cache?: unknown };
  return typeof Cache === 'function' ? (Cache as Type) : undefined;
}
