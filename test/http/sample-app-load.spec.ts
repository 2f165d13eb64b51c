import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { load } from '../../sample-app/src/load/load.js';
import { NAMES } from '../../sample-app/src/load/traffic.js';

const PLACE = { id: 1, population: 2, latitude: 3, longitude: 4, country: 'FR' };

describe(load.name, () => {
  let server: Server;
  let status: number;
  let url: string;

  beforeEach(async () => {
    status = 200;
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ data: [PLACE], source: 'cache' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it('tells how far it is from the first answer on, those by which it learns the places included', async () => {
    const stop = new AbortController();
    const told: number[] = [];

    const { answers, fromCache, failures } = await load({
      url,
      seconds: 60,
      rate: 100,
      signal: stop.signal,
      onProgress: (share, soFar) => {
        told.push(soFar.answers);
        if (share > 0) stop.abort();
      },
    });

    expect(told.slice(0, NAMES.length)).toEqual(NAMES.map((_, index) => index + 1));
    expect([fromCache, failures]).toEqual([answers, 0]);
  });

  it('fails where the application does not answer at first, and says what was asked', async () => {
    status = 503;
    const options = { url, seconds: 60, rate: 100, signal: new AbortController().signal };

    await expect(load({ ...options, onProgress: () => {} })).rejects.toThrow(
      `${url}/search?q=san&limit=100 answered 503.`,
    );
  });
});
