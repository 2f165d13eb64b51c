import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import {
  CacheHierarchy,
  cacheHierarchyConfig,
  cacheHierarchyEnvSchema,
  CacheHierarchyModule,
  InvalidOptionsError,
  validateCacheHierarchyEnv,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { CACHE_MERGED_OPTIONS } from '../../lib/cache-hierarchy.constants.js';
import { SETTINGS } from '../../lib/config/settings.js';
import { bootAlone, closeAll, start } from './boot.js';

const takesStandardSchemas = versionOfConfig() >= 12;

/** The major version of `@nestjs/config` that is installed. */
function versionOfConfig(): number {
  const entry = createRequire(import.meta.url).resolve('@nestjs/config');
  const [folder] = entry.split(/(?<=[\\/]config[\\/])/);
  const { version } = JSON.parse(readFileSync(join(folder!, 'package.json'), 'utf8')) as {
    version: string;
  };
  return Number.parseInt(version, 10);
}

type Configure = (options: CacheHierarchyOptions) => DynamicModule;

const WAYS: [string, Configure][] = [
  ['forRoot', (options) => CacheHierarchyModule.forRoot(options)],
  [
    'forRootAsync',
    (options) => CacheHierarchyModule.forRootAsync({ useFactory: async () => options }),
  ],
];

/** Starts an application and returns the options its cache is made of. */
async function optionsOf(
  imports: NonNullable<ModuleMetadata['imports']>,
): Promise<CacheHierarchyOptions> {
  return (await bootAlone({ imports })).get(CACHE_MERGED_OPTIONS);
}

describe('settings of the environment', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'settings-'));
  });

  afterEach(async () => {
    await closeAll();
    for (const { name } of SETTINGS) delete process.env[name];
    await rm(folder, { recursive: true });
  });

  /** Writes an .env file and returns the module that loads it. */
  async function envFile(lines: string): Promise<NonNullable<ModuleMetadata['imports']>[number]> {
    const envFilePath = join(folder, '.env');
    await writeFile(envFilePath, lines);
    return ConfigModule.forRoot({ envFilePath });
  }

  it.each(WAYS)('rule without a ConfigModule of the application in %s', async (_, configure) => {
    process.env.ASYNC_CACHE_TTL = '90';

    expect(await optionsOf([configure({})])).toMatchObject({ l1: { ttl: 90_000 } });
  });

  it.each(WAYS)(
    'rule from an .env file, whichever is imported first, in %s',
    async (_, configure) => {
      const config = await envFile('CACHE_HIERARCHY_L2_MAX_SIZE=77\nASYNC_CACHE_NUM_SHARDS=3');

      expect(await optionsOf([configure({}), config])).toMatchObject({
        l1: { numShards: 3 },
        l2: { numShards: 3, maxEntries: 77 },
      });
    },
  );

  it.each(WAYS)('give way to explicit options field by field in %s', async (_, configure) => {
    process.env.ASYNC_CACHE_TTL = '90';
    process.env.CACHE_HIERARCHY_L1_MAX_SIZE = '256';
    process.env.CACHE_HIERARCHY_MAX_WORKERS = '2';
    const app = await bootAlone({ imports: [configure({ l1: { ttl: '5s' }, maxWorkers: 3 })] });

    expect(app.get(CACHE_MERGED_OPTIONS)).toMatchObject({
      l1: { ttl: '5s', maxEntries: 256 },
      maxWorkers: 3,
    });
    expect(app.get(CacheHierarchy).getMetrics().levels.L1.shards).toHaveLength(2);
  });

  it('give way to l2: false as a whole', async () => {
    process.env.CACHE_HIERARCHY_L2_TTL = '90';
    const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot({ l2: false })] });

    expect(app.get(CacheHierarchy).l2).toBeNull();
  });

  it('do not change the options object of the application', async () => {
    process.env.ASYNC_CACHE_TTL = '90';
    const options = Object.freeze({ l1: Object.freeze({ maxEntries: 256 }) });

    await bootAlone({ imports: [CacheHierarchyModule.forRoot(options)] });

    expect(options).toEqual({ l1: { maxEntries: 256 } });
  });

  it('are what cacheHierarchyConfig.asProvider() hands to forRootAsync', async () => {
    const config = await envFile('ASYNC_CACHE_TTL=2m');
    const cache = CacheHierarchyModule.forRootAsync(cacheHierarchyConfig.asProvider());

    expect(await optionsOf([config, cache])).toMatchObject({ l1: { ttl: 120_000 } });
  });

  it('are there for ConfigService when the application loads them', async () => {
    process.env.ASYNC_CACHE_TTL = '90';
    const app = await bootAlone({
      imports: [
        ConfigModule.forRoot({ ignoreEnvFile: true, load: [cacheHierarchyConfig] }),
        CacheHierarchyModule.forRoot(),
      ],
    });

    expect(app.get(ConfigService).get('cacheHierarchy.l1.ttl')).toBe(90_000);
  });

  it('may have a schema of the application, whose defaults they take, and are checked all the same', async () => {
    const withDefault = (ttl: string): Promise<DynamicModule> =>
      ConfigModule.forRoot({
        ignoreEnvFile: true,
        validate: (given) => ({ ...given, ASYNC_CACHE_TTL: given['ASYNC_CACHE_TTL'] ?? ttl }),
      });

    const options = await optionsOf([withDefault('45'), CacheHierarchyModule.forRoot()]);
    expect(options).toMatchObject({ l1: { ttl: 45_000 } });

    delete process.env.ASYNC_CACHE_TTL;
    await expect(optionsOf([withDefault('soon'), CacheHierarchyModule.forRoot()])).rejects.toThrow(
      /ASYNC_CACHE_TTL: must be .*got "soon"/,
    );
  });

  it('are checked by validate of the ConfigModule, all at once, ranges included', () => {
    process.env.ASYNC_CACHE_TTL = 'soon';
    process.env.CACHE_HIERARCHY_NUM_SHARDS = '9999';
    const started = async (): Promise<DynamicModule> =>
      ConfigModule.forRoot({ ignoreEnvFile: true, validate: validateCacheHierarchyEnv });

    return expect(started()).rejects.toThrow(
      'The environment has 2 problems in its options:\n' +
        '  - ASYNC_CACHE_TTL: must be a positive number of seconds, a number with a unit ' +
        '(250ms, 60s, 5m, 1h, 1d) or Infinity, got "soon"\n' +
        '  - CACHE_HIERARCHY_NUM_SHARDS: must be a whole number from 1 to 1024, got 9999',
    );
  });

  it('that are right are let through by it, with those of others', async () => {
    process.env.ASYNC_CACHE_TTL = '45';
    const checked = ConfigModule.forRoot({
      ignoreEnvFile: true,
      validate: (given) => validateCacheHierarchyEnv({ ...given, GREETING: 'hello' }),
    });

    const app = await bootAlone({ imports: [checked, CacheHierarchyModule.forRoot()] });

    expect(app.get(CACHE_MERGED_OPTIONS)).toMatchObject({ l1: { ttl: 45_000 } });
    expect(app.get(ConfigService).get('GREETING')).toBe('hello');
  });

  // @nestjs/config 4 takes schemas of Joi only.
  (takesStandardSchemas ? it : it.skip)(
    'are checked by validationSchema of the ConfigModule',
    async () => {
      process.env.ASYNC_CACHE_TTL = 'soon';
      const checked = (): Promise<DynamicModule> =>
        ConfigModule.forRoot({ ignoreEnvFile: true, validationSchema: cacheHierarchyEnvSchema });
      await expect(checked()).rejects.toThrow(
        /^Config validation error: ASYNC_CACHE_TTL: must be a positive .*got "soon"$/,
      );

      process.env.ASYNC_CACHE_TTL = '45';
      const options = await optionsOf([checked(), CacheHierarchyModule.forRoot()]);
      expect(options).toMatchObject({ l1: { ttl: 45_000 } });
    },
  );

  it('are replaced by a test that overrides the config', async () => {
    process.env.ASYNC_CACHE_TTL = 'abc';
    const compiled = await Test.createTestingModule({ imports: [CacheHierarchyModule.forRoot()] })
      .overrideProvider(cacheHierarchyConfig.KEY)
      .useValue({ l1: { numShards: 3 } })
      .compile();

    const app = await start(compiled);

    expect(app.get(CacheHierarchy).getMetrics().levels.L1.shards).toHaveLength(3);
  });

  it('switch everything off by CACHE_HIERARCHY_ENABLED=false', async () => {
    process.env.CACHE_HIERARCHY_ENABLED = 'false';
    const cache = (await bootAlone({})).get(CacheHierarchy);
    let loads = 0;

    await cache.getOrSet('place:1', () => (loads += 1));
    await cache.getOrSet('place:1', () => (loads += 1));

    expect(loads).toBe(2);
    expect(cache.l1.size).toBe(0);
  });

  it('stop the start when one can not be read', async () => {
    process.env.ASYNC_CACHE_TTL = 'abc';

    await expect(bootAlone({})).rejects.toThrow(
      'CacheHierarchyModule has 1 problem in its options:\n' +
        '  - ASYNC_CACHE_TTL: must be a positive number of seconds, a number with a unit ' +
        '(250ms, 60s, 5m, 1h, 1d) or Infinity, got "abc"',
    );
  });

  it.each(WAYS)(
    'stop the start with all their problems and those of %s at once',
    async (_, configure) => {
      const bad: Record<string, string> = {
        ASYNC_CACHE_TTL: 'abc',
        ASYNC_CACHE_CLEANUP_INTERVAL: '0',
        CACHE_HIERARCHY_L2_TTL: '-1',
        CACHE_HIERARCHY_L2_CLEANUP_INTERVAL: '5 minutes',
        CACHE_HIERARCHY_L1_MAX_SIZE: '1.5',
        CACHE_HIERARCHY_L2_MAX_SIZE: 'many',
        ASYNC_CACHE_NUM_SHARDS: '0',
        CACHE_HIERARCHY_NUM_SHARDS: '9999',
        ASYNC_CACHE_MAX_WORKERS: 'NaN',
        CACHE_HIERARCHY_MAX_WORKERS: 'Infinity',
        CACHE_HIERARCHY_ENABLED: 'yes',
      };
      const names = Object.keys(bad);
      Object.assign(process.env, bad);

      const error = await bootAlone({
        imports: [configure({ l1: { ttl: '1s' }, maxStamps: 0 })],
      }).catch((thrown: unknown) => thrown);

      expect(error).toBeInstanceOf(InvalidOptionsError);
      const { problems } = error as InvalidOptionsError;
      expect(problems.map(({ option }) => option).toSorted()).toEqual(
        [...names, 'maxStamps'].toSorted(),
      );
      expect(SETTINGS.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      for (const { option, message } of problems) {
        expect(message).toMatch(/^must be .*, got /);
        if (option in bad) expect(message).toMatch(new RegExp(`got "?${bad[option]}"?$`));
      }
    },
  );

  it('name the variable once when they come through asProvider()', async () => {
    process.env.ASYNC_CACHE_TTL = 'abc';
    const started = bootAlone({
      imports: [CacheHierarchyModule.forRootAsync(cacheHierarchyConfig.asProvider())],
    });

    await expect(started).rejects.toMatchObject({ problems: [{ option: 'ASYNC_CACHE_TTL' }] });
  });

  it('are refused by a cache that gets them without the module', () => {
    process.env.ASYNC_CACHE_TTL = 'abc';

    expect(() => new CacheHierarchy(cacheHierarchyConfig())).toThrow(InvalidOptionsError);
  });
});
