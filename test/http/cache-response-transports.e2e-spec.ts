import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  UseInterceptors,
  type ExecutionContext,
  type INestMicroservice,
} from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { defer, lastValueFrom, of, Observable } from 'rxjs';
import { WebSocket } from 'ws';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  CacheResponse,
  CacheResponseInterceptor,
} from 'nestjs-cache-hierarchy';
import { root } from '../docs/documents.js';

const DEADLINE_MS = 60_000;
let runs = 0;

@Controller()
class PlacesController {
  @MessagePattern('find')
  @CacheResponse()
  find(@Payload() id: number): unknown {
    return { id, run: (runs += 1) };
  }

  @MessagePattern('bare')
  @Cacheable()
  async findBare(id: number): Promise<unknown> {
    return { id, run: (runs += 1) };
  }

  @MessagePattern('payload')
  @Cacheable()
  async findByPayload(@Payload() id: number): Promise<unknown> {
    return { id, run: (runs += 1) };
  }

  @MessagePattern('observable')
  @Cacheable()
  observe(@Payload() id: number): Observable<unknown> {
    return defer(() => of({ id, run: (runs += 1) }));
  }

  @EventPattern('found')
  @CacheResponse()
  found(@Payload() _id: number): void {
    runs += 1;
  }
}

@WebSocketGateway()
class PlacesGateway {
  @SubscribeMessage('find')
  @UseInterceptors(CacheResponseInterceptor)
  find(@MessageBody() id: number): unknown {
    return { event: 'found', data: { id, run: (runs += 1) } };
  }

  @SubscribeMessage('cached')
  @Cacheable()
  async findCached(@MessageBody() id: number): Promise<unknown> {
    return { event: 'found', data: { id, run: (runs += 1) } };
  }
}

describe('messages over TCP', () => {
  let app: INestMicroservice;
  let client: ClientProxy;

  beforeEach(async () => {
    runs = 0;
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      controllers: [PlacesController],
    }).compile();
    const options = { host: '127.0.0.1', port: 0 };
    app = compiled.createNestMicroservice({ transport: Transport.TCP, options, logger: false });
    await app.listen();
    const { port } = app.unwrap<Server>().address() as AddressInfo;
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { ...options, port } });
  });

  afterEach(async () => {
    await client.close();
    await app.close();
  });

  it(`are let through by ${CacheResponse.name}, and so are events`, async () => {
    const ask = (): Promise<unknown> => lastValueFrom(client.send('find', 1));

    expect([await ask(), await ask()]).toEqual([
      { id: 1, run: 1 },
      { id: 1, run: 2 },
    ]);
    await lastValueFrom(client.emit('found', {}), { defaultValue: undefined });
    await lastValueFrom(client.emit('found', {}), { defaultValue: undefined });
    // Nest 11 answers a message before it has handled the events sent before that.
    // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the controller counts
    while (runs < 4) await nextTurn();
    expect(await ask()).toEqual({ id: 1, run: 5 });
    expect(app.get(CacheHierarchy).l1.size).toBe(0);
  });

  it.each(['bare', 'payload', 'observable'])(
    `are answered from the cache by ${Cacheable.name}: %s`,
    async (pattern) => {
      const ask = (id: number): Promise<unknown> => lastValueFrom(client.send(pattern, id));

      expect([await ask(1), await ask(1), await ask(2)]).toEqual([
        { id: 1, run: 1 },
        { id: 1, run: 1 },
        { id: 2, run: 2 },
      ]);
    },
  );
});

describe('messages of a WebSocket', () => {
  it(`are let through by ${CacheResponseInterceptor.name} and answered from the cache by ${Cacheable.name}`, async () => {
    runs = 0;
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      providers: [PlacesGateway],
    }).compile();
    const app = compiled.createNestApplication({ logger: false });
    app.useWebSocketAdapter(new WsAdapter(app));
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(socket, 'open');
    const ask = async (event: string, id: number): Promise<unknown> => {
      socket.send(JSON.stringify({ event, data: id }));
      const [answer] = (await once(socket, 'message')) as [Buffer];
      return (JSON.parse(String(answer)) as { data: unknown }).data;
    };

    expect([await ask('find', 1), await ask('find', 1)]).toEqual([
      { id: 1, run: 1 },
      { id: 1, run: 2 },
    ]);
    expect(app.get(CacheHierarchy).l1.size).toBe(0);
    expect([await ask('cached', 1), await ask('cached', 1), await ask('cached', 2)]).toEqual([
      { id: 1, run: 3 },
      { id: 1, run: 3 },
      { id: 2, run: 4 },
    ]);
    socket.close();
    await app.close();
  });

  it(`are let through by ${CacheResponseInterceptor.name}, even such as look like a request`, async () => {
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      providers: [CacheResponseInterceptor],
    }).compile();
    const app = await compiled.createNestApplication({ logger: false }).init();
    const args = [{ method: 'GET', url: '/place', headers: {} }, { headersSent: false }];
    const context = {
      getType: () => 'ws',
      getClass: () => PlacesController,
      getHandler: () => Reflect.get(PlacesController.prototype, 'find') as unknown,
      getArgs: () => args,
      getArgByIndex: (index: number) => args[index],
    } as unknown as ExecutionContext;

    const answer = app
      .get(CacheResponseInterceptor)
      .intercept(context, { handle: () => of('run') });

    expect(await lastValueFrom(await answer)).toBe('run');
    expect(app.get(CacheHierarchy).getMetrics().gets).toBe(0);
    await app.close();
  });
});

describe('beside GraphQL', () => {
  let answers: { readonly byRoute: unknown; readonly global: unknown };

  beforeAll(async () => {
    const args = ['--import', './test/support/typescript-hooks.mjs', 'test/http/graphql-app.ts'];
    const options = { cwd: root, timeout: DEADLINE_MS, env: { PATH: process.env.PATH } };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    answers = JSON.parse(stdout) as typeof answers;
  }, 2 * DEADLINE_MS);

  it.each([
    ['with the interceptor where it is marked', 'byRoute'],
    ['with the interceptor for everything', 'global'],
  ] as const)(
    `${CacheResponse.name} lets queries and fields through, ${Cacheable.name} keeps them, %s`,
    (_, which) => {
      const city = { run: 1, alias: 'alias 1 of 1' };
      expect(answers[which]).toEqual([
        [null, { data: { place: { run: 1, name: 'name 1' }, city } }],
        [null, { data: { place: { run: 2, name: 'name 2' }, city } }],
        ['nestjs-cache-hierarchy; fwd=miss; stored', { run: 1 }],
        ['nestjs-cache-hierarchy; hit', { run: 1 }],
      ]);
    },
  );
});
