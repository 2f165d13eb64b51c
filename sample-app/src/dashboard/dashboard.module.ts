import { Module } from '@nestjs/common';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';
import { ThisMachineGuard } from './this-machine.guard.js';

/** The idea: one line shows what the caches do. Here its keys are no secret, and whoever sees it may clear them. */
@Module({
  imports: [
    CacheDashboardModule.forRoot({ guard: ThisMachineGuard, mutations: true, revealKeys: true }),
  ],
})
export class DashboardModule {}
