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
  CACHE_OPENTELEMETRY_OPTIONS,
  ConfigurableModuleClass,
  OPTIONS_TYPE,
} from './cache-opentelemetry.module-definition.js';
import { instrumentCaches, type CacheOpenTelemetryOptions } from './instrument-caches.js';
import { cachesOf } from '../binding/named-caches.js';

/**
 * Observes every cache of the application with OpenTelemetry: the attribute `cache.name` is `default`, or the
 * name of a named one. Import it beside `CacheHierarchyModule`, once. It ends when the application has
 * shut down.
 */
@Module({ imports: [CacheRegistryModule] })
export class CacheOpenTelemetryModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationShutdown
{
  private stop: (() => void) | undefined;

  constructor(
    private readonly caches: CacheRegistry,
    @Inject(CACHE_OPENTELEMETRY_OPTIONS) private readonly options: CacheOpenTelemetryOptions,
  ) {
    super();
  }

  /** Observes with these options. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Observes with options that a factory or a class supplies. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /**
   * Called by Nest before the application takes requests.
   *
   * @throws {InvalidOptionsError} when the application has no cache
   */
  onModuleInit(): void {
    this.caches.assertRoot(CacheOpenTelemetryModule.name);
    this.stop = instrumentCaches(cachesOf(this.caches), this.options);
  }

  /** Called by Nest last, when no request is answered any more. */
  onApplicationShutdown(): void {
    this.stop?.();
  }
}
