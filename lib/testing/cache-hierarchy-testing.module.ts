import { Module, type DynamicModule } from '@nestjs/common';
import { CacheHierarchyModule } from '../cache-hierarchy.module.js';
import type { CacheHierarchyOptions } from '../hierarchy/hierarchy-options.js';
import { FakeClock } from './fake-clock.js';

/** What a cache for tests takes: the options of the cache, whose clock is a fake one. */
export interface TestingOptions extends CacheHierarchyOptions {
  /** The clock that the test moves; a new one by default, which `app.get(FakeClock)` gives. */
  readonly clock?: FakeClock;
}

/** What the testing module takes beside the cache's own options. */
export interface TestingModuleOptions extends TestingOptions {
  /**
   * Whether every module may inject the cache without importing this one.
   * @default true
   */
  readonly isGlobal?: boolean;
}

/**
 * Takes the place of `CacheHierarchyModule` in a test. To test a whole application that imports
 * `CacheHierarchyModule` itself, override `CACHE_HIERARCHY_OPTIONS` with {@link testingOptions}.
 */
@Module({})
export class CacheHierarchyTestingModule {
  /** A cache in memory whose time stands still until the test moves its `FakeClock`. */
  static forRoot({ isGlobal = true, ...options }: TestingModuleOptions = {}): DynamicModule {
    const { clock, ...rest } = testingOptions(options);
    return {
      module: CacheHierarchyTestingModule,
      global: isGlobal,
      imports: [CacheHierarchyModule.forRoot({ ...rest, clock, isGlobal })],
      providers: [{ provide: FakeClock, useValue: clock }],
      exports: [FakeClock, CacheHierarchyModule],
    };
  }

  /** A cache that caches nothing: every read loads, and decorated methods just run. */
  static disabled({ isGlobal = true }: Pick<TestingModuleOptions, 'isGlobal'> = {}): DynamicModule {
    return {
      module: CacheHierarchyTestingModule,
      global: isGlobal,
      imports: [CacheHierarchyModule.forRoot({ enabled: false, isGlobal })],
      exports: [CacheHierarchyModule],
    };
  }
}

/**
 * The options of a cache in memory with a fake clock: give them to a `new CacheHierarchy`, or to
 * `overrideProvider(CACHE_HIERARCHY_OPTIONS).useValue(…)`, where they replace those of the application,
 * its levels outside the process included. They say `enabled`, so the environment does not switch it off.
 */
export function testingOptions(
  options: TestingOptions = {},
): TestingOptions & { readonly clock: FakeClock } {
  return { enabled: true, ...options, clock: options.clock ?? new FakeClock() };
}
