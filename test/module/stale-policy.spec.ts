import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, NotFoundException } from '@nestjs/common';
import {
  CacheHierarchy,
  CacheHierarchyModule,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { bootAlone, closeAll } from './boot.js';

let warn: jest.SpiedFunction<Logger['warn']>;

beforeEach(() => {
  warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
});

afterEach(async () => {
  await closeAll();
  warn.mockRestore();
});

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

  it('gives advice once, as a warning, and none on what the application has not written', async () => {
    await cacheOf({ softTimeout: '2s' });

    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^CacheHierarchy: softTimeout \('2s'\) does nothing without grace/)],
    ]);
  });

  it('gives advice on a staleOn that the application has written', async () => {
    await cacheOf({ staleOn: () => true });

    expect(warn.mock.calls).toEqual([[expect.stringMatching(/: staleOn changes nothing /)]]);
  });

  it('gives no advice on the defaults', async () => {
    await cacheOf({});

    expect(warn).not.toHaveBeenCalled();
  });
});
