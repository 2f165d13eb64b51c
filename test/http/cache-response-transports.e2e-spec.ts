import { execFile } from 'node:child_process';
import type { AddressInfo, Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { lastValueFrom } from 'rxjs';
import { CacheHierarchy, CacheHierarchyModule, CacheResponse } from 'nestjs-cache-hierarchy';
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

  @EventPattern('found')
  @CacheResponse()
  found(@Payload() _id: number): void {
    runs += 1;
  }
}

describe(`${CacheResponse.name} on messages over TCP`, () => {
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

  it('lets every message and event through', async () => {
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
});

describe(`${CacheResponse.name} beside GraphQL`, () => {
  it(
    'lets every query and field through, and caches the routes',
    async () => {
      const args = ['--import', './test/support/typescript-hooks.mjs', 'test/http/graphql-app.ts'];
      const options = { cwd: root, timeout: DEADLINE_MS, env: { PATH: process.env.PATH } };
      const { stdout } = await promisify(execFile)(process.execPath, args, options);

      expect(JSON.parse(stdout)).toEqual([
        [null, { data: { place: { id: 1, run: 1, name: 'name 2' } } }],
        [null, { data: { place: { id: 1, run: 3, name: 'name 4' } } }],
        ['nestjs-cache-hierarchy; fwd=miss; stored', { run: 5 }],
        ['nestjs-cache-hierarchy; hit', { run: 5 }],
      ]);
    },
    2 * DEADLINE_MS,
  );
});
