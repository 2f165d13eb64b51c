import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { HealthModule } from './health/health.module.js';
import { NearestModule } from './nearest/nearest.module.js';
import { OpenConnections } from './open-connections.js';
import { PageModule } from './page/page.module.js';
import { PlacesModule } from './places/places.module.js';
import { SearchModule } from './search/search.module.js';
import { envFile, settings } from './settings.js';
import { sharedLevel } from './shared-level.js';
import { StatisticsModule } from './statistics/statistics.module.js';

/**
 * The cache is set up by one line: its module is global and reads the environment. Only what is not
 * there to be read, the level that instances share, comes from a factory.
 */
@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, envFilePath: envFile, load: [settings] }),
    CacheHierarchyModule.forRootAsync({ inject: [settings.KEY], useFactory: sharedLevel }),
    NearestModule,
    SearchModule,
    StatisticsModule,
    PlacesModule,
    PageModule,
    HealthModule,
    DashboardModule,
  ],
  providers: [OpenConnections],
})
export class AppModule {}
