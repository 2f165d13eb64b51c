import { describe, expect, it } from '@jest/globals';
import { Injectable, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Cacheable,
  CacheCleanupScheduler,
  CacheHierarchy,
  CacheHierarchyModule,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';

@Injectable()
class PlacesService implements OnModuleDestroy, OnApplicationShutdown {
  runs = 0;
  readonly runsWhenClosing: number[] = [];

  @Cacheable()
  async find(id: number): Promise<string> {
    this.runs += 1;
    return `place ${id}`;
  }

  async onModuleDestroy(): Promise<void> {
    await this.find(1);
    this.runsWhenClosing.push(this.runs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.find(1);
    this.runsWhenClosing.push(this.runs);
  }
}

function compile(options: CacheHierarchyOptions = {}): Promise<TestingModule> {
  return Test.createTestingModule({
    imports: [CacheHierarchyModule.forRoot(options)],
    providers: [PlacesService],
  }).compile();
}

describe('the lifecycle of the cache in an application', () => {
  it('sets no timer before the application is initialised', async () => {
    const clock = new VirtualClock();
    const app = await compile({ clock });

    expect(clock.pending).toBe(0);
    expect(app.get(CacheCleanupScheduler).status().running).toBe(false);
    await app.init();

    expect(clock.pending).toBe(1);
    expect(app.get(CacheCleanupScheduler).status().running).toBe(true);
    await app.close();
  });

  it('closes an application that was never initialised', async () => {
    const clock = new VirtualClock();
    const app = await compile({ clock });

    await app.close();

    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind and holds nothing after the application was closed', async () => {
    const clock = new VirtualClock();
    const app = await (await compile({ clock })).init();
    const cache = app.get(CacheHierarchy);
    await cache.set('place:1', 'place 1');

    await app.close();

    expect(clock.pending).toBe(0);
    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 0]);
  });

  it('still answers from the cache while the application closes', async () => {
    const app = await (await compile()).init();
    const places = app.get(PlacesService);
    await places.find(1);

    await app.close();

    expect(places.runsWhenClosing[0]).toBe(1);
  });

  it('lets methods just run after the application was closed, and throws nowhere', async () => {
    const app = await (await compile()).init();
    const [places, cache] = [app.get(PlacesService), app.get(CacheHierarchy)];
    await app.close();
    places.runs = 0;

    await places.find(1);
    await places.find(1);
    await cache.set('place:1', 'place 1');

    expect(places.runs).toBe(2);
    expect(await cache.get('place:1')).toBeUndefined();
  });

  it('sets no timer when the cache is switched off', async () => {
    const clock = new VirtualClock();
    const app = await (await compile({ clock, enabled: false })).init();

    expect(clock.pending).toBe(0);
    await app.close();
  });
});
