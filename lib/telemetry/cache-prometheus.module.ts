import {
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { CacheRegistry, CacheRegistryModule } from '../binding/cache.registry.js';
import {
  ASYNC_OPTIONS_TYPE,
  CACHE_PROMETHEUS_OPTIONS,
  ConfigurableModuleClass,
  OPTIONS_TYPE,
} from './cache-prometheus.module-definition.js';
import { collectCaches, type CachePrometheusOptions } from './collect-caches.js';
import { cachesOf } from '../binding/named-caches.js';

/**
 * Registers the metrics of every cache of the application with prom-client: the label `cache` is `default`, or
 * the name of a named one. Import it beside `CacheHierarchyModule`, once; how the registry is read is
 * yours. When the application has shut down the metrics are taken off the registry.
 */
@Module({ imports: [CacheRegistryModule] })
export class CachePrometheusModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  private stop: (() => void) | undefined;

  constructor(
    private readonly caches: CacheRegistry,
    @Inject(CACHE_PROMETHEUS_OPTIONS) private readonly options: CachePrometheusOptions,
  ) {
    super();
  }

  /** Registers with these options. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers with options that a factory or a class supplies. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /**
   * Called by Nest before the application takes requests.
   *
   * @throws {InvalidOptionsError} when the application has no cache
   */
  onModuleInit(): void {
    this.caches.assertRoot(CachePrometheusModule.name);
    this.stop = collectCaches(cachesOf(this.caches), this.options);
  }

  /** Called by Nest last, when no request is answered any more. */
  onApplicationShutdown(): void {
    this.stop?.();
  }
}
