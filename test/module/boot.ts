import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';

const open = new Set<INestApplicationContext>();

/** Starts an application of these providers, with a cache unless the imports bring one. */
export async function bootAlone(metadata: ModuleMetadata): Promise<TestingModule> {
  const imports = metadata.imports ?? [CacheHierarchyModule.forRoot()];
  const compiled = await Test.createTestingModule({ ...metadata, imports }).compile();
  return start(compiled);
}

/**
 * Starts an application beside another one with a cache of its own, so that no method finds its
 * cache just because there is only one in the process.
 */
export async function boot(metadata: ModuleMetadata): Promise<TestingModule> {
  await bootAlone({});
  return bootAlone(metadata);
}

/** Initialises an application and notes it for {@link closeAll}. */
export async function start<A extends INestApplicationContext>(app: A): Promise<A> {
  await app.init();
  open.add(app);
  return app;
}

/** Closes what was started. */
export async function closeAll(): Promise<void> {
  for (const app of open) await app.close();
  open.clear();
}
