import { afterEach, describe, expect, it } from '@jest/globals';
import type { DynamicModule } from '@nestjs/common';
import { CacheHierarchyModule, InvalidOptionsError } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { CacheOpenTelemetryModule } from 'nestjs-cache-hierarchy/opentelemetry';
import { CachePrometheusModule } from 'nestjs-cache-hierarchy/prometheus';
import { Registry } from 'prom-client';
import { bootAlone, closeAll } from './boot.js';

const MODULES: readonly [string, () => DynamicModule][] = [
  ['CacheDashboardModule', () => CacheDashboardModule.forRoot({ guard: null })],
  ['CacheOpenTelemetryModule', () => CacheOpenTelemetryModule.forRoot()],
  ['CachePrometheusModule', () => CachePrometheusModule.forRoot({ registry: new Registry() })],
];

describe.each(MODULES)('%s', (name, moduleOf) => {
  afterEach(closeAll);

  it('stops the start of an application that has no CacheHierarchyModule, with advice', async () => {
    const started = bootAlone({ imports: [moduleOf()] });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      `${name} has 1 problem in its options:\n  - imports: have no CacheHierarchyModule, so there is no ` +
        'cache to tell of. Call CacheHierarchyModule.forRoot or forRootAsync once, in the root module.',
    );
  });

  it('may be imported before it, and beside one that is not global', async () => {
    const cache = CacheHierarchyModule.forRoot({ isGlobal: false });

    await expect(bootAlone({ imports: [moduleOf(), cache] })).resolves.toBeDefined();
  });
});
