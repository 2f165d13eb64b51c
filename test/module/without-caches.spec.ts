import { afterEach, describe, expect, it } from '@jest/globals';
import type { ModuleMetadata } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { CacheHierarchyModule, InvalidOptionsError } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { CacheOpenTelemetryModule } from 'nestjs-cache-hierarchy/opentelemetry';
import { CachePrometheusModule } from 'nestjs-cache-hierarchy/prometheus';
import { CacheScheduleModule } from 'nestjs-cache-hierarchy/schedule';
import { Registry } from 'prom-client';
import { bootAlone, closeAll } from './boot.js';

const MODULES: readonly [string, () => NonNullable<ModuleMetadata['imports']>][] = [
  ['CacheDashboardModule', () => [CacheDashboardModule.forRoot({ guard: null })]],
  ['CacheOpenTelemetryModule', () => [CacheOpenTelemetryModule.forRoot()]],
  ['CachePrometheusModule', () => [CachePrometheusModule.forRoot({ registry: new Registry() })]],
  ['CacheScheduleModule', () => [ScheduleModule.forRoot(), CacheScheduleModule]],
];

describe.each(MODULES)('%s', (name, modulesOf) => {
  afterEach(closeAll);

  it('stops the start of an application that has no CacheHierarchyModule, with advice', async () => {
    const started = bootAlone({ imports: modulesOf() });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      `${name} has 1 problem in its options:\n  - imports: have no CacheHierarchyModule, so there is no ` +
        'cache. Call CacheHierarchyModule.forRoot or forRootAsync once, in the root module.',
    );
  });

  it('may be imported before it, and beside one that is not global', async () => {
    const cache = CacheHierarchyModule.forRoot({ isGlobal: false });

    await expect(bootAlone({ imports: [...modulesOf(), cache] })).resolves.toBeDefined();
  });
});
