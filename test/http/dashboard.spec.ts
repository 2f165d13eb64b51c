import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ClassSerializerInterceptor,
  Injectable,
  Module,
  UnauthorizedException,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { CacheHierarchy, CacheResponseInterceptor } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule, type CacheDashboardOptions } from 'nestjs-cache-hierarchy/dashboard';
import { DashboardApp, OPEN, PAGE, type DashboardAppOptions } from './dashboard-app.js';
import { ADAPTERS, type Reply } from './http-app.js';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

let app: DashboardApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe.each(ADAPTERS)(`${CacheDashboardModule.name} on %s`, (_, adapter) => {
  async function start(options?: DashboardAppOptions): Promise<DashboardApp> {
    app = await DashboardApp.start(adapter, options);
    return app;
  }

  async function ask(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return app!.http.ask(path, { headers });
  }

  it('serves the page and its files, with headers that keep others out', async () => {
    await start();

    for (const [path, type, body] of [
      ['/cache', 'text/html', PAGE['index.html'].replaceAll('{{base}}', 'cache/')],
      ['/cache/dashboard.js', 'text/javascript', PAGE['dashboard.js']],
      ['/cache/dashboard.css', 'text/css', PAGE['dashboard.css']],
    ] as const) {
      const reply = await ask(path);
      expect([reply.status, reply.body]).toEqual([200, body]);
      expect(reply.headers).toMatchObject({ ...HEADERS, 'content-type': `${type}; charset=utf-8` });
      expect(reply.headers['cache-control']).toContain('no-cache');
      const again = await ask(path, { 'if-none-match': `"other", ${reply.headers.etag}` });
      expect([again.status, again.body]).toEqual([304, '']);
      expect(again.headers).toMatchObject(HEADERS);
    }
    const events = await app!.watch();
    expect(events.response.headers).toMatchObject({
      ...HEADERS,
      'content-type': 'text/event-stream',
    });
  });

  it.each([
    ['a path of several parts', {}, { path: '/admin/the-cache' }, '/admin/the-cache', 'the-cache/'],
    [
      'a global prefix',
      { prepare: (nest) => void nest.setGlobalPrefix('api/v2') },
      {},
      '/api/v2/cache',
      'cache/',
    ],
    [
      'versions in addresses',
      {
        prepare: (nest) =>
          void nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
      },
      {},
      '/cache',
      'cache/',
    ],
    [
      'versions in headers',
      {
        prepare: (nest) =>
          void nest.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
      },
      {},
      '/cache',
      'cache/',
    ],
  ] as [string, DashboardAppOptions, Partial<CacheDashboardOptions>, string, string][])(
    'is there with %s',
    async (_what, options, dashboard, path, base) => {
      await start({ ...options, dashboard });

      expect((await ask(path)).body).toContain(`href="${base}dashboard.css"`);
      expect((await ask(`${path}?cache=users`)).body).toContain(`href="${base}dashboard.css"`);
      expect((await ask(`${path}/dashboard.css`)).body).toBe(PAGE['dashboard.css']);
      const events = await app!.watch(`${path}/events`);
      expect((await events.next('hello')).caches).toHaveLength(1);
      expect((await ask('/other')).status).toBe(404);
    },
  );

  it('lets its guard decide about everything, with its headers on what that refuses', async () => {
    const asked: string[] = [];
    const guard: CanActivate = {
      canActivate(context) {
        const { headers } = context
          .switchToHttp()
          .getRequest<{ headers: { authorization?: string } }>();
        asked.push(headers.authorization ?? 'nobody');
        if (headers.authorization === undefined) throw new UnauthorizedException();
        return headers.authorization === 'admin';
      },
    };
    await start({ dashboard: { guard, mutations: true } });

    for (const path of ['', '/dashboard.js', '/dashboard.css', '/events']) {
      expect(await ask(`/cache${path}`)).toMatchObject({ status: 401, headers: HEADERS });
      const known = await ask(`/cache${path}`, { authorization: 'user' });
      expect(known).toMatchObject({ status: 403, headers: HEADERS });
    }
    expect(await app!.act('clear', { cache: 'default' })).toMatchObject({ status: 401 });
    const admin = { authorization: 'admin' };
    expect(await app!.act('clear', { cache: 'default' }, admin)).toMatchObject({ status: 200 });
    expect((await ask('/cache', admin)).status).toBe(200);
    expect(asked).toHaveLength(11);
  });

  it('makes a guard of the class that it is given, with what it injects', async () => {
    @Injectable()
    class Users {
      readonly admins = ['ada'];
    }

    @Module({ providers: [Users], exports: [Users] })
    class UsersModule {}

    @Injectable()
    class AdminGuard implements CanActivate {
      constructor(private readonly users: Users) {}

      canActivate(context: ExecutionContext): boolean {
        const { headers } = context.switchToHttp().getRequest<{ headers: { user: string } }>();
        return this.users.admins.includes(headers.user);
      }
    }

    const sync = CacheDashboardModule.forRoot({ guard: AdminGuard, imports: [UsersModule] });
    const later = CacheDashboardModule.forRootAsync({
      path: 'later',
      guard: AdminGuard,
      imports: [UsersModule],
      inject: [Users],
      useFactory: ({ admins }: Users) => ({ mutations: admins.length > 0 }),
    });
    await start({ imports: [sync, later] });

    for (const path of ['/cache', '/later']) {
      expect((await ask(path, { user: 'ada' })).status).toBe(200);
      expect((await ask(path, { user: 'eve' })).status).toBe(403);
    }
    const events = await app!.watch('/later/events', { user: 'ada' });
    expect(await events.next('hello')).toMatchObject({ mutations: true, revealsKeys: false });
  });

  it('is left alone by what the application does to all answers', async () => {
    @Injectable()
    class Wrapping implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((data) => ({ data })));
      }
    }

    await start({
      dashboard: { mutations: true },
      providers: [
        { provide: APP_INTERCEPTOR, useClass: Wrapping },
        { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
        { provide: APP_INTERCEPTOR, useClass: CacheResponseInterceptor },
      ],
    });

    for (let time = 0; time < 2; time++) {
      expect((await ask('/cache/dashboard.js')).body).toBe(PAGE['dashboard.js']);
      expect(await app!.act('clear', { cache: 'default' })).toMatchObject({ body: '{"ok":true}' });
      await (await app!.watch()).next('hello');
    }
    expect(app!.http.get(CacheHierarchy).getMetrics()).toMatchObject({ gets: 0, sets: 0 });
  });

  it('answers HEAD with no body', async () => {
    await start();

    for (const path of ['/cache', '/cache/events']) {
      const reply = await app!.http.ask(path, { method: 'HEAD' });
      expect([reply.status, reply.body]).toEqual([200, '']);
    }
  });
});

describe('the address of the page', () => {
  it('may end with a slash', async () => {
    app = await DashboardApp.start(ADAPTERS[0]![1]);

    expect((await app.http.ask('/cache/')).body).toContain('href="dashboard.css"');
  });

  it('is written into the page only where it is plain', async () => {
    app = await DashboardApp.start(ADAPTERS[1]![1]);

    expect((await app.http.ask('/%63ache')).body).toContain('href="cache/dashboard.css"');
  });
});

describe('the options of the dashboard', () => {
  it.each([
    [{}, /guard: must be a guard, the class of one, or null for whoever comes, got undefined/],
    [undefined, /guard: must be/],
    [{ guard: true }, /guard: must be .* got true/],
    [{ guard: () => true }, /guard: must be .* got a function guard/],
    [{ guard: OPEN, path: '' }, /path: must be parts of letters/],
    [{ guard: OPEN, path: ':tenant/cache' }, /path: must be parts .* got ":tenant\/cache"/],
    [{ path: 7, mutation: true }, /path: must be parts.*guard: must be.*mutation: is unknown/s],
    [
      { guard: OPEN, mutation: true },
      /mutation: is unknown: did you mean mutations\? Known are guard, imports, mutations, path, revealKeys/,
    ],
    [{ guard: OPEN, revealKeys: 'yes' }, /revealKeys: must be true or false, got "yes"/],
    [{ guard: null, mutations: true }, /mutations: needs a guard: .*, got true/],
  ])('are refused: %p', (options, message) => {
    const make = (): unknown => CacheDashboardModule.forRoot(options as CacheDashboardOptions);

    expect(make).toThrow(message);
  });

  it('that a factory supplies are refused at the start', async () => {
    const start = (useFactory: () => object, guard: CanActivate | null): Promise<unknown> =>
      DashboardApp.start(ADAPTERS[0]![1], {
        imports: [CacheDashboardModule.forRootAsync({ guard, useFactory })],
      });

    await expect(start(() => ({ mutations: true }), null)).rejects.toThrow(/needs a guard/);
    await expect(start(() => ({ path: 'x' }), OPEN)).rejects.toThrow(/path: is unknown/);
  });

  it('may say that whoever comes may look', async () => {
    app = await DashboardApp.start(ADAPTERS[0]![1], { dashboard: { guard: null } });

    expect((await app.http.ask('/cache')).status).toBe(200);
  });
});
