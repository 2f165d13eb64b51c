import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  UseInterceptors,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { map } from 'rxjs';
import { CacheHierarchy, CacheResponse, type CacheHierarchyOptions } from 'nestjs-cache-hierarchy';
import { FastifyTexts } from '../../lib/http/fastify-texts.js';
import { ADAPTERS, HttpApp, type Reply } from './http-app.js';

interface Place {
  id: number;
  name?: string;
  position: { latitude: number };
  extra?: number;
}

const places = (): Place[] => [
  { id: 1, name: 'Pa\u2028ris “é”', position: { latitude: 48.85 } },
  { id: 2, name: '<b>', position: { latitude: -0 } },
];

/** An application, and what in it has a say in what is sent. */
interface Say {
  readonly name: string;
  readonly interceptor?: (body: Place[]) => unknown;
  readonly prepare?: (app: INestApplication) => void;
  readonly contentType?: string;
  readonly returns?: () => unknown;
}

const fastify = (app: INestApplication): FastifyAdapter['instance'] =>
  app.getHttpAdapter().getInstance() as FastifyAdapter['instance'];

const ANYWHERE: readonly Say[] = [
  { name: 'nobody' },
  { name: 'an interceptor that looks', interceptor: (body) => body },
  {
    name: 'an interceptor that changes a value',
    interceptor: (body) => {
      body[1]!.position.latitude = 7;
      return body;
    },
  },
  {
    name: 'an interceptor that adds and takes away',
    interceptor: (body) => {
      delete body[0]!.name;
      body[0]!.extra = 1;
      return body;
    },
  },
  { name: 'an interceptor that wraps', interceptor: (data) => ({ data }) },
  { name: 'an interceptor that returns a part', interceptor: (body) => body[0] },
  { name: 'an interceptor that returns text', interceptor: (body) => JSON.stringify(body) },
  { name: 'an interceptor that returns a number', interceptor: (body) => body.length },
  { name: 'an interceptor that returns nothing', interceptor: () => {} },
  {
    name: 'an interceptor that fails',
    interceptor: () => {
      throw new NotFoundException('gone');
    },
  },
  { name: 'a content type', contentType: 'application/vnd.places+json' },
  { name: 'a content type with a character set', contentType: 'application/json; charset=latin1' },
  { name: 'a handler that returns text', returns: () => 'text' },
  { name: 'a handler that returns a number', returns: () => 5 },
  { name: 'a handler that returns null', returns: () => null },
  {
    name: 'a handler that returns dates',
    returns: () => ({ at: new Date(5), all: [new Date(6)] }),
  },
];

const ON_FASTIFY: readonly Say[] = [
  {
    name: 'a content type that is not JSON',
    contentType: 'text/plain',
  },
  {
    name: 'a serializer of the application',
    prepare: (app) =>
      void fastify(app).setReplySerializer((payload) => `(${JSON.stringify(payload)})`),
  },
  {
    name: 'a serializer of a reply',
    prepare: (app) =>
      void fastify(app).addHook('preHandler', async (_request, reply) => {
        reply.serializer((payload: unknown) => `[${JSON.stringify(payload)}]`);
      }),
  },
  {
    name: 'a hook that wraps what sends',
    prepare: (app) =>
      void fastify(app).addHook('onRequest', async (_request, reply) => {
        const send = reply.send.bind(reply);
        reply.send = (body) => send(`<${JSON.stringify(body)}>`);
      }),
  },
  {
    name: 'a schema of the response',
    prepare: (app) =>
      void fastify(app).addHook('onRoute', (route) => {
        route.schema = {
          response: {
            200: {
              type: 'array',
              items: { type: 'object', properties: { id: { type: 'string' } } },
            },
          },
        };
      }),
  },
  {
    name: 'a schema for a type of content',
    prepare: (app) =>
      void fastify(app).addHook('onRoute', (route) => {
        const schema = { type: 'array', items: { type: 'object', properties: { id: {} } } };
        route.schema = { response: { 200: { content: { 'application/json': { schema } } } } };
      }),
  },
  {
    name: 'a hook that replaces the body',
    prepare: (app) =>
      void fastify(app).addHook('preSerialization', async (_request, _reply, data) => ({ data })),
  },
  {
    name: 'a hook that changes the body',
    prepare: (app) =>
      void fastify(app).addHook('preSerialization', async (_request, _reply, body) => {
        (body as Place[])[0]!.extra = 9;
        return body;
      }),
  },
  {
    name: 'a hook that changes the text',
    prepare: (app) =>
      void fastify(app).addHook(
        'onSend',
        async (_request, _reply, text) => `${typeof text} ${String(text)}`,
      ),
  },
];

interface FilterReply {
  code(status: number): FilterReply;
  type(name: string): FilterReply;
  send(body: unknown): void;
}

let app: HttpApp;

afterEach(async () => {
  await app.close();
});

function open(
  adapter: () => FastifyAdapter | ReturnType<(typeof ADAPTERS)[number][1]>,
  { interceptor, prepare, contentType, returns = places }: Say,
  cache: CacheHierarchyOptions = {},
): Promise<HttpApp> {
  const outside: NestInterceptor = {
    intercept: (_context, next) =>
      interceptor === undefined
        ? next.handle()
        : next.handle().pipe(map((body) => interceptor(body as Place[]))),
  };
  const named: MethodDecorator =
    contentType === undefined ? () => {} : Header('Content-Type', contentType);

  @Controller()
  @UseInterceptors(outside)
  class PlacesController {
    @Get('plain')
    @named
    plain(): unknown {
      return returns();
    }

    @Get('cached')
    @named
    @CacheResponse()
    cached(): unknown {
      return returns();
    }

    @Get('taken')
    @HttpCode(203)
    @named
    @CacheResponse()
    taken(): unknown {
      return returns();
    }
  }
  return HttpApp.start(adapter, {
    controllers: [PlacesController],
    cache,
    ...(prepare && { prepare }),
  });
}

/** What of a reply is the framework's: all but what the cache adds, and what is of one moment. */
function framework({ status, headers, body }: Reply): unknown {
  return {
    status,
    body: body.replaceAll(/plain|cached/g, 'path'),
    type: headers['content-type'],
    length: status === 404 ? undefined : headers['content-length'],
  };
}

describe.each([
  ...ADAPTERS.flatMap(([name, adapter]) => ANYWHERE.map((say) => ({ on: name, adapter, say }))),
  ...ON_FASTIFY.map((say) => ({ on: 'Fastify', adapter: () => new FastifyAdapter(), say })),
])('what is sent on $on where $say.name has a say', ({ adapter, say }) => {
  it('is the same on the first hit and the fifth as without a cache', async () => {
    app = await open(adapter, say);
    const expected = framework(await app.ask('/plain'));

    const replies: unknown[] = [];
    while (replies.length < 6) replies.push(framework(await app.ask('/cached')));

    expect(replies).toEqual(replies.map(() => expected));
  });
});

describe('the JSON of a body that is replayed on Fastify', () => {
  const listsWritten = (spy: jest.SpiedFunction<typeof JSON.stringify>): number =>
    spy.mock.calls.filter(([value]) => Array.isArray(value)).length;

  it('is written no more once it is known', async () => {
    app = await open(() => new FastifyAdapter(), ANYWHERE[1]!);
    for (let request = 0; request < 3; request += 1) await app.ask('/cached');
    const spy = jest.spyOn(JSON, 'stringify');

    const [first, second] = await app.bodies(['/cached', '/cached']);
    const count = listsWritten(spy);
    await app.ask('/plain');
    const withPlain = listsWritten(spy);
    spy.mockRestore();

    expect(first).toBe(JSON.stringify(places()));
    expect(second).toBe(first);
    expect([count, withPlain]).toEqual([0, 1]);
  });

  it('keeps the status of the response, answers a HEAD and a client that has it', async () => {
    app = await open(() => new FastifyAdapter(), ANYWHERE[0]!);
    const replies: Reply[] = [];
    while (replies.length < 5) replies.push(await app.ask('/taken'));
    for (let request = 0; request < 5; request += 1) await app.ask('/cached');

    const head = await app.ask('/cached', { method: 'HEAD' });
    const known = await app.ask('/cached', {
      headers: { 'if-none-match': String(head.headers.etag) },
    });

    expect(replies.map(({ status }) => status)).toEqual([203, 203, 203, 203, 203]);
    expect(new Set(replies.map(({ body }) => body))).toEqual(new Set([JSON.stringify(places())]));
    expect([head.status, head.body]).toEqual([200, '']);
    expect([known.status, known.body]).toEqual([304, '']);
  });

  it('is not sent for a copy that an interceptor or a hook has changed, this time', async () => {
    let change: 'none' | 'interceptor' | 'hook' = 'none';
    const changed = (by: typeof change, body: Place[]): Place[] => {
      if (change === by) body[1]!.position.latitude = 7;
      return body;
    };
    app = await open(() => new FastifyAdapter(), {
      name: 'both',
      interceptor: (body) => changed('interceptor', body),
      prepare: (nest) =>
        void fastify(nest).addHook('preSerialization', async (_request, _reply, body) =>
          changed('hook', body as Place[]),
        ),
    });
    const same = await app.bodies(['/cached', '/cached', '/cached', '/cached']);

    change = 'interceptor';
    const [byInterceptor] = await app.bodies(['/cached']);
    change = 'hook';
    const [byHook] = await app.bodies(['/cached']);
    change = 'none';
    const [again] = await app.bodies(['/cached']);

    const other = places();
    other[1]!.position.latitude = 7;
    expect(new Set([...same, again])).toEqual(new Set([JSON.stringify(places())]));
    expect([byInterceptor, byHook]).toEqual([JSON.stringify(other), JSON.stringify(other)]);
  });

  it('is not sent where a hook fails and a filter tells of it in JSON', async () => {
    let fails = false;
    @Catch()
    class JsonFilter implements ExceptionFilter {
      catch(error: Error, host: ArgumentsHost): void {
        const reply = host.switchToHttp().getResponse<FilterReply>();
        reply
          .code(500)
          .type('application/json')
          .send(JSON.stringify({ error: error.message }));
      }
    }
    app = await open(() => new FastifyAdapter(), {
      name: 'fails',
      prepare: (nest) => {
        nest.useGlobalFilters(new JsonFilter());
        fastify(nest).addHook('preSerialization', async (_request, _reply, body) => {
          if (fails) throw new Error('no');
          return body;
        });
      },
    });
    await app.bodies(['/cached', '/cached', '/cached', '/cached']);

    fails = true;
    const failed = await app.bodies(['/plain', '/cached']);
    fails = false;
    const [again] = await app.bodies(['/cached']);

    expect(failed).toEqual(['{"error":"no"}', '{"error":"no"}']);
    expect(again).toBe(JSON.stringify(places()));
  });

  it('is not sent on another path of its route that has a schema', async () => {
    @Controller()
    class PathsController {
      @Get(['open', 'secret'])
      @CacheResponse({ key: () => 'same' })
      both(): unknown {
        return { a: 1, secret: 's' };
      }
    }
    app = await HttpApp.start(() => new FastifyAdapter(), {
      controllers: [PathsController],
      prepare: (nest) =>
        void fastify(nest).addHook('onRoute', (route) => {
          const schema = { type: 'object', properties: { a: { type: 'number' } } };
          if (route.url === '/secret') route.schema = { response: { 200: schema } };
        }),
    });

    const bodies = await app.bodies(['/open', '/open', '/open', '/open', '/secret', '/open']);

    const whole = '{"a":1,"secret":"s"}';
    expect(bodies).toEqual([whole, whole, whole, whole, '{"a":1}', whole]);
  });

  it('is not kept for dates that are written in another way since', async () => {
    app = await open(() => new FastifyAdapter(), {
      name: 'dates',
      returns: () => ({ at: new Date(5) }),
    });
    await app.bodies(['/cached', '/cached', '/cached', '/cached']);
    const spy = jest.spyOn(Date.prototype, 'toJSON').mockReturnValue('now');

    const bodies = await app.bodies(['/cached', '/cached']);
    spy.mockRestore();

    expect(bodies).toEqual(['{"at":"now"}', '{"at":"now"}']);
  });

  it('is not kept where a serializer of the application writes something else later', async () => {
    let space: number | undefined;
    app = await open(() => new FastifyAdapter(), {
      name: 'pretty',
      prepare: (nest) =>
        void fastify(nest).setReplySerializer((body) => JSON.stringify(body, undefined, space)),
    });
    const compact = await app.bodies(['/cached', '/cached', '/cached', '/cached']);

    space = 1;
    const pretty = await app.bodies(['/cached', '/cached']);

    expect(new Set(compact)).toEqual(new Set([JSON.stringify(places())]));
    expect(new Set(pretty)).toEqual(new Set([JSON.stringify(places(), undefined, 1)]));
  });

  it('is forgotten with all others where they would be more than may be kept', async () => {
    app = await open(() => new FastifyAdapter(), { name: 'nobody' });
    const texts = new FastifyTexts(30);
    const bodies = ['first', 'second', 'x'.repeat(30)].map((name) => ({ name }));
    const server = new FastifyAdapter().getInstance();
    server.get<{ Params: { at: number } }>('/:at', (request, reply) => {
      const body = bodies[request.params.at]!;
      const copy = { ...body };
      texts.offer(reply, body, copy);
      void reply.send(copy);
    });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    const spy = jest.spyOn(JSON, 'stringify');

    const sent: string[] = [];
    for (const at of [0, 0, 1, 1, 0, 2, 2])
      sent.push(await (await fetch(`${address}/${at}`)).text());
    const written = spy.mock.calls.map(([body]) => bodies.indexOf(body as { name: string }));
    spy.mockRestore();
    await server.close();

    expect(sent).toEqual([0, 0, 1, 1, 0, 2, 2].map((at) => JSON.stringify(bodies[at])));
    expect(written.filter((at) => at >= 0)).toEqual([0, 1, 0, 2, 2]);
  });

  it('is not kept where a serializer of the application writes something else each time', async () => {
    let written = 0;
    app = await open(() => new FastifyAdapter(), {
      name: 'counts',
      prepare: (nest) =>
        void fastify(nest).setReplySerializer(() => `{"written":${(written += 1)}}`),
    });

    const bodies = await app.bodies(['/cached', '/cached', '/cached', '/cached', '/cached']);

    expect(bodies).toEqual([1, 2, 3, 4, 5].map((count) => `{"written":${count}}`));
  });

  it('is another once something else is stored', async () => {
    let run = 0;
    app = await open(() => new FastifyAdapter(), {
      name: 'runs',
      returns: () => ({ run: (run += 1) }),
    });
    const before = await app.bodies(['/cached', '/cached', '/cached', '/cached']);
    await app.get(CacheHierarchy).clear();
    const after = await app.bodies(['/cached', '/cached', '/cached', '/cached']);

    expect([...before, ...after]).toEqual(
      [1, 1, 1, 1, 2, 2, 2, 2].map((each) => `{"run":${each}}`),
    );
  });

  it('is written each time where a level gives back a copy', async () => {
    app = await open(() => new FastifyAdapter(), ANYWHERE[0]!, { isolation: 'clone' });

    const bodies = await app.bodies(['/cached', '/cached', '/cached', '/cached', '/cached']);

    expect(new Set(bodies)).toEqual(new Set([JSON.stringify(places())]));
  });
});
