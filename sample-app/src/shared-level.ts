import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { CacheHierarchyOptions } from 'nestjs-cache-hierarchy';
import { redisLevel } from 'nestjs-cache-hierarchy/redis';
import type { Settings } from './settings.js';

/**
 * The idea: instances of one service share a cache, by a level below those in their memory. The client is
 * only the pattern of the connections that the level makes, so it makes none itself.
 */
export function sharedLevel({ redisUrl }: Settings): CacheHierarchyOptions {
  if (redisUrl === undefined) return {};
  const client = new Redis(redisUrl, { lazyConnect: true });
  const { host, port } = client.options;
  new Logger('SampleApp').log(`Shares its cache through Redis at ${host}:${port}`);
  return { remote: redisLevel({ client, prefix: 'places-sample' }) };
}
