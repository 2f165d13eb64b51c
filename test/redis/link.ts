import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Random } from '../support/random.js';

/** How a link passes bytes on. */
export interface LinkOptions {
  /** Each piece takes up to so long, in milliseconds, those of one connection in their order. */
  readonly jitterMs: number;
  readonly random: Random;
}

/** A way to a server that takes a while, and that can be cut without anybody being told. */
export class Link {
  readonly #server: Server;
  readonly #options: LinkOptions | undefined;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server, options: LinkOptions | undefined) {
    this.#server = server;
    this.#options = options;
  }

  static async to(port: number, options?: LinkOptions): Promise<Link> {
    const server = createServer();
    const link = new Link(server, options);
    server.on('connection', (near) => link.#join(near, connect(port, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing passes; connections are accepted, and hear nothing. */
  cut(): void {
    this.#isCut = true;
  }

  /** What was sent meanwhile is lost, and so are the connections. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.mend();
  }

  #join(near: Socket, far: Socket): void {
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #pass(from: Socket, to: Socket): void {
    const waiting: { readonly bytes: Buffer; readonly dueAt: number }[] = [];
    let lastDueAt = 0;
    const flush = (): void => {
      while (waiting[0] !== undefined && waiting[0].dueAt <= performance.now()) {
        const { bytes } = waiting.shift()!;
        if (!this.#isCut) to.write(bytes);
      }
      if (waiting.length > 0) setTimeout(flush, 1);
    };
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      const takesMs = this.#options ? this.#options.random.below(this.#options.jitterMs + 1) : 0;
      lastDueAt = Math.max(lastDueAt, performance.now() + takesMs);
      waiting.push({ bytes, dueAt: lastDueAt });
      if (waiting.length === 1) flush();
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
