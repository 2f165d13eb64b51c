import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  TerminusModule,
} from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { CacheHierarchy, type CacheHierarchyOptions } from 'nestjs-cache-hierarchy';
import { CacheHealthIndicator } from 'nestjs-cache-hierarchy/health';
import {
  CacheHierarchyTestingModule,
  ChaosLevel,
  type TestingOptions,
} from 'nestjs-cache-hierarchy/testing';
import { closeAll, start } from './boot.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly cache: CacheHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<unknown> {
    return this.health.check([() => this.cache.isHealthy('cache')]);
  }
}

interface Health {
  readonly code: number;
  readonly status: string;
  readonly details: { readonly cache: Record<string, unknown> };
}

/** Terminus 11 knows no degraded state: the suite is run with it, too. */
const knowsDegraded = 'degraded' in new HealthIndicatorService().check('key');
const DEGRADED = knowsDegraded ? 'degraded' : 'up';

async function boot(options: TestingOptions): Promise<INestApplication> {
  const compiled = await Test.createTestingModule({
    imports: [
      CacheHierarchyTestingModule.forRoot(options),
      TerminusModule.forRoot({ logger: false }),
    ],
    controllers: [HealthController],
    providers: [CacheHealthIndicator],
  }).compile();
  const app = compiled.createNestApplication({ logger: false });
  await app.listen(0);
  return start(app);
}

async function healthOf(app: INestApplication): Promise<Health> {
  const response = await fetch(`${await app.getUrl()}/health`);
  return { code: response.status, ...((await response.json()) as Omit<Health, 'code'>) };
}

afterEach(closeAll);

describe(`${CacheHealthIndicator.name}, over HTTP`, () => {
  it('is up, with how many entries the levels hold', async () => {
    const app = await boot({});
    await app.get(CacheHierarchy).set('secret key', 'secret value');
    const levels = { L1: { state: 'up', entries: 1 }, L2: { state: 'up', entries: 1 } };

    expect(await healthOf(app)).toMatchObject({
      code: 200,
      status: 'ok',
      details: { cache: { status: 'up', active: true, levels } },
    });
  });

  it('is degraded while a level outside is out, and up again when it answers', async () => {
    const remote = new ChaosLevel();
    const app = await boot({ l2: false, remote, report: () => {} });
    const cache = app.get(CacheHierarchy);
    remote.down();
    await cache.set('secret key', 'secret value');
    const during = await healthOf(app);
    remote.up();
    await cache.get('other');
    const after = await healthOf(app);

    expect(during).toMatchObject({
      code: 200,
      status: knowsDegraded ? 'degraded' : 'ok',
      details: { cache: { status: DEGRADED, active: true, out: ['remote'] } },
    });
    expect(during.details.cache.levels).toEqual({
      L1: { state: 'up', entries: 1 },
      remote: { state: 'down', failures: 1, timeouts: 0, unconfirmed: 1 },
    });
    expect(JSON.stringify(during)).not.toContain('secret');
    expect(after).toMatchObject({ code: 200, status: 'ok', details: { cache: { status: 'up' } } });
    expect(after.details.cache).not.toHaveProperty('out');
  });

  it('is down, and answered with 503, once the cache is closed', async () => {
    const app = await boot({});
    await app.get(CacheHierarchy).close();

    expect(await healthOf(app)).toMatchObject({
      code: 503,
      status: 'error',
      details: { cache: { status: 'down', active: false } },
    });
  });
});

describe(CacheHealthIndicator.name, () => {
  it('is up with the same details where terminus knows no degraded state', async () => {
    const remote = new ChaosLevel();
    const cache = new CacheHierarchy({ l2: false, remote, report: () => {} });
    const result = (key: string, status: string) => (data: object) => ({
      [key]: { ...data, status },
    });
    const terminus11 = {
      check: (key: string) => ({ up: result(key, 'up'), down: result(key, 'down') }),
    } as unknown as HealthIndicatorService;
    remote.down();
    await cache.get('key');
    const health = new CacheHealthIndicator(terminus11, cache).isHealthy('cache');
    await cache.close();

    expect(health.cache).toMatchObject({ status: 'up', out: ['remote'] });
  });

  it('is degraded while it is not known what other processes change', async () => {
    let proven = false;
    const remote = Object.assign(new ChaosLevel(), {
      follow: () => ({
        groups: 1,
        maxStaleMs: 5_000,
        groupOf: () => 0,
        isProven: () => proven,
        stop: () => {},
      }),
    });
    const cache = new CacheHierarchy({ l2: false, remote, report: () => {} });
    const indicator = new CacheHealthIndicator(new HealthIndicatorService(), cache);
    const before = indicator.isHealthy('cache');
    proven = true;
    const after = indicator.isHealthy('cache');
    await cache.close();

    expect(before.cache).toMatchObject({ status: DEGRADED, proven: false });
    expect(after.cache).toMatchObject({ status: 'up', proven: true });
  });

  it('is up where nothing is to be cached', async () => {
    const cache = new CacheHierarchy({ enabled: false });
    const result = new CacheHealthIndicator(new HealthIndicatorService(), cache).isHealthy('cache');
    await cache.close();

    expect(result.cache).toMatchObject({ status: 'up', active: false });
  });

  it('tells of another cache that it is given', async () => {
    const options: CacheHierarchyOptions = { l2: false };
    const [cache, other] = [new CacheHierarchy(options), new CacheHierarchy(options)];
    const indicator = new CacheHealthIndicator(new HealthIndicatorService(), cache);
    await other.close();

    expect(indicator.isHealthy('cache').cache.status).toBe('up');
    expect(indicator.isHealthy('other', other).other.status).toBe('down');
    await cache.close();
  });
});
