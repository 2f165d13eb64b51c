import { afterEach, describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import {
  CacheHierarchy,
  CacheHierarchyModule,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { bootAlone, closeAll } from './boot.js';

afterEach(closeAll);

async function cacheOf(options: CacheHierarchyOptions): Promise<CacheHierarchy> {
  const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot(options)] });
  return app.get(CacheHierarchy);
}

/** Asks for what has expired, with a loader that throws. */
async function askInVain(cache: CacheHierarchy, error: Error): Promise<unknown> {
  await cache.set('key', 'old');
  await cache.expire('key');
  return cache.getOrSet('key', () => Promise.reject(error));
}

describe(`the stale policy of a ${CacheHierarchyModule.name}`, () => {
  it('passes on what tells a client that its request is at fault', async () => {
    const cache = await cacheOf({ grace: '1h' });
    const missing = new NotFoundException();

    await expect(askInVain(cache, missing)).rejects.toBe(missing);
    expect(await askInVain(cache, new Error('the database is away'))).toBe('old');
  });

  it('leaves that to a staleOn of the application', async () => {
    const cache = await cacheOf({ grace: '1h', staleOn: () => true });

    expect(await askInVain(cache, new NotFoundException())).toBe('old');
  });
});
