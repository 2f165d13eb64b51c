import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Cacheable,
  CacheCleanupScheduler,
  CacheHierarchyModule,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll } from './boot.js';

let tagCalls = 0;

@Injectable()
class EventsService {
  /** A RegExp has no place in a derived key. */
  @Cacheable()
  async named(pattern: RegExp): Promise<string> {
    return pattern.source;
  }

  @Cacheable({
    key: 'events',
    tags: () => {
      tagCalls += 1;
      return 'events';
    },
  })
  async all(): Promise<string[]> {
    return ['event'];
  }
}

afterEach(closeAll);

describe('a @Cacheable method where nothing is cached', () => {
  it('runs without a key, where the cache is not enabled', async () => {
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ enabled: false })],
      providers: [EventsService],
    });

    expect(await app.get(EventsService).named(/a/)).toBe('a');
  });

  it('runs without a key, once the application is closed', async () => {
    const app = await boot({ providers: [EventsService] });
    const events = app.get(EventsService);
    await expect(events.named(/a/)).rejects.toThrow('has no cache key for this call');

    await app.close();

    expect(await events.named(/a/)).toBe('a');
  });
});

describe('the tags of a @Cacheable method', () => {
  it('are made for a call that loads, not for one that is answered', async () => {
    tagCalls = 0;
    const app = await boot({ providers: [EventsService] });

    for (let call = 0; call < 5; call++) await app.get(EventsService).all();

    expect(tagCalls).toBe(1);
  });
});

describe('an application that refuses to start', () => {
  it('leaves no sweeper running and is no longer the only one in the process', async () => {
    @Injectable()
    class Twin {
      @Cacheable()
      async find(): Promise<number> {
        return 1;
      }
    }
    const refused = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      providers: [Twin, { provide: 'twin', useFactory: () => new Twin() }],
    }).compile();

    await expect(refused.init()).rejects.toBeInstanceOf(InvalidOptionsError);

    expect(refused.get(CacheCleanupScheduler).status().running).toBe(false);
    await bootAlone({});
    let runs = 0;
    class Plain {
      @Cacheable({ key: 'plain' })
      async find(): Promise<number> {
        return (runs += 1);
      }
    }
    const plain = new Plain();
    expect([await plain.find(), await plain.find()]).toEqual([1, 1]);
    expect(runs).toBe(1);
  });
});
