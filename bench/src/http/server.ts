/**
 * The process of a server: `node server.js <framework> <cache>` listens on a free port, sends its address
 * to the process that started it, and answers each of its messages with the processor time that it has
 * taken, in microseconds. It ends with that process.
 */
import 'reflect-metadata';
import { Controller, Get, Module, UseInterceptors, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import type { CacheName, Framework } from './server-process.js';

const TTL_MS = 600_000;
const HANDLER_MICROSECONDS = 1_000;

/** A cache in an application: its module, and what it puts on a route. */
interface CacheOfRoutes {
  readonly modules: readonly DynamicModule[];
  readonly onRoute: MethodDecorator;
}

const openCache: Readonly<Record<CacheName, () => Promise<CacheOfRoutes>>> = {
  none: async () => ({ modules: [], onRoute: () => {} }),
  '@CacheResponse': async () => {
    const { CacheHierarchyModule, CacheResponse } = await import('nestjs-cache-hierarchy');
    const module = CacheHierarchyModule.forRoot({ ttl: TTL_MS, report: () => {} });
    return { modules: [module], onRoute: CacheResponse() };
  },
  CacheInterceptor: async () => {
    const { CacheInterceptor, CacheModule } = await import('@nestjs/cache-manager');
    const module = CacheModule.register({ ttl: TTL_MS, isGlobal: true });
    return { modules: [module], onRoute: UseInterceptors(CacheInterceptor) };
  },
};

/** About a kilobyte of JSON. */
const places = Array.from({ length: 10 }, (_, id) => ({
  id,
  name: `Place ${id}`,
  country: 'FR',
  population: 10_000 + id,
  position: { latitude: 48.85 + id, longitude: 2.35 },
}));

const [framework, cache] = process.argv.slice(2) as [Framework, CacheName];
const application = await create(rootWith(await openCache[cache]()));
await application.listen(0, '127.0.0.1');
process.on('message', () => process.send!(cpuMicroseconds()));
process.on('disconnect', () => process.exit());
process.send!(await application.getUrl());

function rootWith({ modules, onRoute }: CacheOfRoutes): object {
  @Controller()
  class PlacesController {
    @Get('uncached')
    uncached(): object {
      return places;
    }

    @Get('cached')
    @onRoute
    cached(): object {
      return places;
    }

    @Get('cached-work')
    @onRoute
    cachedWork(): object {
      work();
      return places;
    }
  }

  @Module({ imports: [...modules], controllers: [PlacesController] })
  class RootModule {}
  return RootModule;
}

async function create(root: object): Promise<Awaited<ReturnType<typeof NestFactory.create>>> {
  const options = { logger: false } as const;
  if (framework === 'Express') return NestFactory.create(root, options);
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(root, new FastifyAdapter(), options);
}

/** Keeps the processor busy, and does not count the time that others have it. */
function work(): void {
  const end = cpuMicroseconds() + HANDLER_MICROSECONDS;
  while (cpuMicroseconds() < end);
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
