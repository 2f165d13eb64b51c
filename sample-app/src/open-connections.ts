import type { Server, ServerResponse } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** How long a shutdown waits for requests under way. */
const DRAIN_DEADLINE_MS = 10_000;
const POLL_MS = 20;

/**
 * Lets a shutdown wait for requests under way, and for nothing else: browsers hold connections on
 * which they never asked for anything, and Node's server would wait for those to end.
 */
@Injectable()
export class OpenConnections implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private underWay = 0;

  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    this.server.on('request', (_request: unknown, response: ServerResponse) => {
      this.underWay++;
      response.once('close', () => this.underWay--);
    });
  }

  beforeApplicationShutdown(): void {
    const { server } = this;
    const deadline = performance.now() + DRAIN_DEADLINE_MS;
    const poll = setInterval(() => {
      if (this.underWay === 0 || performance.now() > deadline) server.closeAllConnections();
    }, POLL_MS);
    server.once('close', () => clearInterval(poll));
    poll.unref();
  }

  private get server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
