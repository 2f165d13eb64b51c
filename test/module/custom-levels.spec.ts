import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CACHE_L2,
  CacheHierarchy,
  CacheHierarchyModule,
  InvalidOptionsError,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import type { DynamicModule } from '@nestjs/common';
import { CACHE_MERGED_OPTIONS } from '../../lib/cache-hierarchy.constants.js';
import { SETTINGS } from '../../lib/config/settings.js';
import { PlainLevel, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { bootAlone, closeAll } from './boot.js';

const clock = new VirtualClock();

afterEach(async () => {
  await closeAll();
  for (const { name } of SETTINGS) delete process.env[name];
});

describe.each<[string, (options: CacheHierarchyOptions) => DynamicModule]>([
  ['forRoot', (options) => CacheHierarchyModule.forRoot(options)],
  [
    'forRootAsync',
    (options) => CacheHierarchyModule.forRootAsync({ useFactory: async () => options }),
  ],
])('levels of your own in %s', (_, configure) => {
  it('are the very objects that were given, whatever the environment says of L2', async () => {
    process.env.CACHE_HIERARCHY_L2_TTL = '90';
    process.env.CACHE_HIERARCHY_L2_MAX_SIZE = '77';
    const [l2, remote] = [new PlainLevel(), new ScriptedLevel(clock)];

    const app = await bootAlone({ imports: [configure({ l2, remote, clock })] });

    const merged = app.get<CacheHierarchyOptions>(CACHE_MERGED_OPTIONS);
    expect(merged.l2).toBe(l2);
    expect(merged.remote).toBe(remote);
    expect(app.get(CACHE_L2)).toBeNull();
  });

  it('are read and written by the cache', async () => {
    const remote = new ScriptedLevel(clock);
    const app = await bootAlone({ imports: [configure({ remote, clock })] });

    await app.get(CacheHierarchy).set('key', 'value');

    expect(remote.entries.read('key')?.value).toBe('value');
  });

  it('leave the environment to the built-in L2 beside a remote', async () => {
    process.env.CACHE_HIERARCHY_L2_TTL = '90';
    const remote = new ScriptedLevel(clock);
    const app = await bootAlone({ imports: [configure({ remote, clock })] });

    await app.get(CacheHierarchy).set('key', 'value');

    expect(remote.entries.read('key')?.freshUntil).toBe(clock.now() + 90_000);
  });

  it('are closed with the application, once', async () => {
    const remote = new ScriptedLevel(clock);
    await bootAlone({ imports: [configure({ remote, clock })] });

    await closeAll();

    expect(remote.closed).toBe(1);
  });

  it('are refused where they are none', async () => {
    const booting = bootAlone({ imports: [configure({ remote: { read: () => {} } as never })] });

    await expect(booting).rejects.toThrow(InvalidOptionsError);
    await expect(booting).rejects.toThrow(
      'remote: must have the methods write, delete, invalidateTags, clear, close',
    );
  });
});
