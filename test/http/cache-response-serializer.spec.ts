import { afterEach, describe, expect, it } from '@jest/globals';
import {
  applyDecorators,
  ClassSerializerInterceptor,
  Controller,
  Get,
  SerializeOptions,
  UseInterceptors,
  type INestApplication,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { Exclude, Expose } from 'class-transformer';
import {
  CacheHierarchy,
  CacheResponse,
  CacheResponseInterceptor,
  type CacheHierarchyOptions,
  type CacheLevel,
  type CacheReport,
  type LevelEntry,
} from 'nestjs-cache-hierarchy';
import { ADAPTERS, HttpApp } from './http-app.js';

let runs = 0;

class User {
  constructor(
    readonly id: number,
    password: string,
  ) {
    this.password = password;
  }

  @Exclude()
  readonly password: string;

  @Expose()
  get label(): string {
    return `user ${this.id}`;
  }
}

/** A level that writes values down, as one outside the process does. */
class JsonLevel implements CacheLevel {
  readonly name = 'json';
  readonly inProcess = false;
  readonly texts = new Map<string, { entry: LevelEntry; text: string }>();

  read(keys: readonly string[]): Map<string, LevelEntry> {
    const found = keys.flatMap((key) => {
      const kept = this.texts.get(key);
      if (kept === undefined) return [];
      const value = JSON.parse(kept.text) as unknown;
      return [[key, { ...kept.entry, value }] as const];
    });
    return new Map(found);
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, 'stored'> {
    for (const [key, entry] of entries)
      this.texts.set(key, { entry, text: JSON.stringify(entry.value) });
    return new Map([...entries.keys()].map((key) => [key, 'stored']));
  }

  delete(keys: readonly string[]): 'applied' {
    for (const key of keys) this.texts.delete(key);
    return 'applied';
  }

  invalidateTags(): 'applied' {
    return this.clear();
  }

  clear(): 'applied' {
    this.texts.clear();
    return 'applied';
  }

  async close(): Promise<void> {}
}

/** Makes a controller whose route, or which itself, has more decorators. */
function controllerWith(
  onRoute: MethodDecorator,
  onClass: ClassDecorator = applyDecorators(),
): Type<object> {
  @Controller()
  @onClass
  class UsersController {
    @Get('user')
    @onRoute
    user(): User {
      return new User(1, `secret of run ${(runs += 1)}`);
    }

    @Get('users')
    @onRoute
    users(): unknown {
      return [new User(1, `secret of run ${(runs += 1)}`)];
    }

    @Get('nested')
    @onRoute
    nested(): unknown {
      return { user: new User(1, `secret of run ${(runs += 1)}`) };
    }
  }
  return UsersController;
}

interface Order {
  readonly name: string;
  readonly controller: Type<object>;
  readonly providers?: Provider[];
  readonly prepare?: (app: INestApplication) => void;
  /** Whether the serializer is inside, so that what is stored is what it made. */
  readonly isInside: boolean;
}

const cached = CacheResponse();
const serializer = UseInterceptors(ClassSerializerInterceptor);
const globally = (...types: Type<object>[]): Provider[] =>
  types.map((useClass) => ({ provide: APP_INTERCEPTOR, useClass }));
const useSerializer = (app: INestApplication): void => {
  app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector)));
};

/** `applyDecorators` applies from left to right: what stands first is what would stand below. */
const ORDERS: readonly Order[] = [
  {
    name: 'useGlobalInterceptors(serializer)',
    controller: controllerWith(cached),
    prepare: useSerializer,
    isInside: false,
  },
  {
    name: 'APP_INTERCEPTOR serializer',
    controller: controllerWith(cached),
    providers: globally(ClassSerializerInterceptor),
    isInside: false,
  },
  {
    name: 'serializer on the controller',
    controller: controllerWith(cached, serializer),
    isInside: false,
  },
  {
    name: 'serializer on the route, above',
    controller: controllerWith(applyDecorators(cached, serializer)),
    isInside: true,
  },
  {
    name: 'serializer on the route, below',
    controller: controllerWith(applyDecorators(serializer, cached)),
    isInside: false,
  },
  {
    name: 'APP_INTERCEPTOR serializer, then cache',
    controller: controllerWith(cached),
    providers: globally(ClassSerializerInterceptor, CacheResponseInterceptor),
    isInside: false,
  },
  {
    name: 'APP_INTERCEPTOR cache, then serializer',
    controller: controllerWith(cached),
    providers: globally(CacheResponseInterceptor, ClassSerializerInterceptor),
    isInside: true,
  },
  {
    name: 'APP_INTERCEPTOR cache, useGlobalInterceptors(serializer)',
    controller: controllerWith(cached),
    providers: globally(CacheResponseInterceptor),
    prepare: useSerializer,
    isInside: true,
  },
  {
    name: 'serializers everywhere',
    controller: controllerWith(applyDecorators(serializer, cached), serializer),
    providers: globally(ClassSerializerInterceptor),
    isInside: false,
  },
];

const EXPECTED: Record<string, string> = {
  '/user': '{"id":1,"label":"user 1"}',
  '/users': '[{"id":1,"label":"user 1"}]',
  '/nested': '{"user":{"id":1,"label":"user 1"}}',
};
const CASES = ORDERS.flatMap((order) =>
  Object.keys(EXPECTED).map((path) => [order.name, path, order] as const),
);

describe.each(ADAPTERS)('what a serializer leaves out, on %s', (_, adapter) => {
  let app: HttpApp;
  let reports: CacheReport[];

  const start = (order: Order, cache: CacheHierarchyOptions): Promise<HttpApp> => {
    runs = 0;
    reports = [];
    return HttpApp.start(adapter, {
      controllers: [order.controller],
      providers: order.providers ?? [],
      ...(order.prepare && { prepare: order.prepare }),
      cache: { ...cache, report: (report) => reports.push(report) },
    });
  };

  /** Asks three times, the last time without what is in L1. */
  const askThrice = async (path: string): Promise<string[]> => {
    const bodies = await app.bodies([path, path]);
    await app.get(CacheHierarchy).l1.clear();
    return [...bodies, ...(await app.bodies([path]))];
  };

  afterEach(() => app.close());

  it.each(CASES)('stays out where levels keep objects: %s, %s', async (_name, path, order) => {
    app = await start(order, {});

    expect(await askThrice(path)).toEqual(Array.from({ length: 3 }, () => EXPECTED[path]));
    expect(runs).toBe(1);
    expect(reports).toEqual([]);
  });

  it.each(CASES)('stays out where a level writes down: %s, %s', async (_name, path, order) => {
    const level = new JsonLevel();
    app = await start(order, { remote: level });

    expect(await askThrice(path)).toEqual(Array.from({ length: 3 }, () => EXPECTED[path]));
    expect([...level.texts.values()].filter(({ text }) => text.includes('secret'))).toEqual([]);
    expect(runs).toBe(order.isInside ? 1 : 3);
  });

  it.each(CASES)('stays out where everybody gets a copy: %s, %s', async (_name, path, order) => {
    app = await start(order, { isolation: 'clone' });

    expect(await askThrice(path)).toEqual(Array.from({ length: 3 }, () => EXPECTED[path]));
    expect(runs).toBe(order.isInside ? 1 : 3);
  });

  it('is reported once for a route that is not cached for its sake', async () => {
    app = await start(ORDERS[0]!, { isolation: 'clone' });
    await askThrice('/user');

    const codes = reports.map(({ code }) => code).filter((code) => code.includes('RESPONSE'));
    expect(codes).toEqual(['CACHE_RESPONSE_OBJECT']);
    expect(reports.at(-1)!.message).toMatch(/UsersController\.user .* Return plain objects/);
  });

  it('stays out of plain data that a serializer makes something of a class of', async () => {
    @Controller()
    @UseInterceptors(ClassSerializerInterceptor)
    @SerializeOptions({ type: User })
    class PlainController {
      @Get('plain')
      @CacheResponse()
      plain(): unknown {
        return { id: 1, password: `secret of run ${(runs += 1)}` };
      }
    }
    app = await start({ name: 'plain', controller: PlainController, isInside: false }, {});

    const bodies = await app.bodies(['/plain', '/plain', '/plain', '/plain']);

    expect(bodies).toEqual(bodies.map(() => EXPECTED['/user']));
    expect(runs).toBe(1);
  });

  it('leaves no trace in an entity tag of ours', async () => {
    app = await start(ORDERS[0]!, {});
    const first = await app.ask('/user');
    runs = 5;
    await app.get(CacheHierarchy).clear();
    const other = await app.ask('/user');

    expect(other.headers['etag']).toBe(first.headers['etag']);
  });
});
