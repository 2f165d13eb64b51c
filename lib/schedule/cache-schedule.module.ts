import { Module, type OnModuleInit } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CacheRegistry, CacheRegistryModule } from '../binding/cache.registry.js';
import { RegisteredTimer } from './registered-timer.js';

/**
 * Lists the cleanup of an application's caches in the `SchedulerRegistry` of `@nestjs/schedule`, as the interval
 * `cache-hierarchy:cleanup`. Import it beside `CacheHierarchyModule` and `ScheduleModule.forRoot()`.
 *
 * The interval is the timer itself, armed anew for the level that is due next, and keeps no process alive:
 * `deleteInterval` ends the cleanup for as long as the application runs. It runs by Node's timers, also where the
 * options name another `clock`. It is not listed where nothing is cleaned from time to time.
 */
@Module({ imports: [CacheRegistryModule] })
export class CacheScheduleModule implements OnModuleInit {
  constructor(
    private readonly registry: SchedulerRegistry,
    private readonly caches: CacheRegistry,
  ) {}

  /**
   * Called by Nest before the cleanup starts.
   *
   * @throws {InvalidOptionsError} when the application has no cache
   */
  onModuleInit(): void {
    const sweeper = this.caches.sweeperFor(CacheScheduleModule.name);
    sweeper.timeBy(new RegisteredTimer(this.registry));
  }
}
