/** Checked by the compiler, never run: what `forFeature` and `forFeatureAsync` accept and refuse. */
import type { DynamicModule } from '@nestjs/common';
import {
  CacheHierarchyModule,
  getCacheToken,
  InjectCache,
  type CacheHierarchy,
  type CacheLevel,
  type NamedCacheOptions,
} from 'nestjs-cache-hierarchy';

declare const level: CacheLevel;

export const token: symbol = getCacheToken('sessions');

export class Accepted {
  constructor(
    @InjectCache('sessions') readonly sessions: CacheHierarchy,
    @InjectCache() readonly main: CacheHierarchy,
  ) {}
}

const frozen: readonly NamedCacheOptions[] = [{ name: 'frozen' }];

export const accepted: DynamicModule[] = [
  CacheHierarchyModule.forFeature(frozen),
  CacheHierarchyModule.forFeature([{ name: 'a', l1: { ttl: '5s' }, l2: false, remote: false }]),
  CacheHierarchyModule.forFeature([{ name: 'a', l2: level, remote: level.scope?.('a') }]),
  CacheHierarchyModule.forFeatureAsync([
    { name: 'a', useFactory: () => ({ ttl: '5m' }) },
    {
      name: 'b',
      imports: [],
      inject: ['TTL', { token: 'GRACE', optional: true }],
      useFactory: async (ttl: number, grace?: number) => ({ ttl, grace: grace ?? false }),
    },
  ]),
];

export const refused = [
  // @ts-expect-error a cache without a name
  () => CacheHierarchyModule.forFeature([{ ttl: '5s' }]),
  // @ts-expect-error a cache that is not in an array
  () => CacheHierarchyModule.forFeature({ name: 'a' }),
  // @ts-expect-error an option that does not exist
  () => CacheHierarchyModule.forFeature([{ name: 'a', size: 5 }]),
  // @ts-expect-error an option that belongs to the application
  () => CacheHierarchyModule.forFeature([{ name: 'a', maxWorkers: 2 }]),
  // @ts-expect-error a cache without a factory
  () => CacheHierarchyModule.forFeatureAsync([{ name: 'a' }]),
  // @ts-expect-error a factory whose options are none
  () => CacheHierarchyModule.forFeatureAsync([{ name: 'a', useFactory: () => ({ ttl: true }) }]),
  // @ts-expect-error a token without a name
  () => getCacheToken(),
];
