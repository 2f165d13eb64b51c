import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of the bytes of a connection. */
export interface Toxics {
  /** Each piece comes so many milliseconds later. */
  readonly latencyMs?: number;
  /** And up to so many more, in order all the same. */
  readonly jitterMs?: number;
  /** Every byte comes on its own. */
  readonly sliced?: boolean;
}

type Direction = 'up' | 'down';

/** What ends a connection, and how often yet. */
interface Trap {
  readonly text: string;
  left: number;
}

/**
 * Stands between clients and a server, and does to their connections what networks do. An end that is
 * swallowed is never told to the other side: no FIN, no RST, as where a router has forgotten a connection.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #target: number;
  #toxics: Toxics = {};
  #trap: Trap = { text: '', left: 0 };

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#link(socket));
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections of clients are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** How many of them pass bytes on, both ways. */
  get live(): number {
    return [...this.#links].filter(({ isWhole }) => isWhole).length;
  }

  /** How many connections are yet to be broken by what a client sends. */
  get trapsLeft(): number {
    return this.#trap.left;
  }

  /** Breaks a connection as soon as a client has sent a text in it, in any case, so many times. */
  breakAt(text: string, times: number): void {
    this.#trap = { text: text.toLowerCase(), left: times };
  }

  /** Sends new connections elsewhere, and ends those that are there. */
  lead(target: number): void {
    this.leadNew(target);
    this.reset();
  }

  /** Sends new connections elsewhere; those that are there stay where they are. */
  leadNew(target: number): void {
    this.#target = target;
  }

  /** Does this to what passes from now on, through connections old and new. */
  poison(toxics: Toxics): void {
    this.#toxics = toxics;
  }

  /** Swallows what comes on the connections that are there; new ones work. */
  swallow(...directions: readonly Direction[]): void {
    const both = directions.length === 0 ? (['up', 'down'] as const) : directions;
    for (const link of this.#links) for (const direction of both) link.swallow(direction);
  }

  /** Breaks the connections that are there, as a process does that dies. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  async stop(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #link(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const link = new Link(client, server, () => this.#toxics);
    this.#links.add(link);
    client.on('data', (piece: Buffer) => {
      const { text, left } = this.#trap;
      if (left === 0 || !piece.toString('latin1').toLowerCase().includes(text)) return;
      this.#trap.left -= 1;
      link.reset();
    });
    const forget = (): void => void (client.closed && server.closed && this.#links.delete(link));
    client.once('close', forget);
    server.once('close', forget);
  }
}

class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #swallowed = new Set<Direction>();

  constructor(client: Socket, server: Socket, toxics: () => Toxics) {
    this.#client = client;
    this.#server = server;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.reset());
    }
    pipe(client, server, { toxics, isSwallowed: () => this.#swallowed.has('up') });
    pipe(server, client, { toxics, isSwallowed: () => this.#swallowed.has('down') });
  }

  get isWhole(): boolean {
    return this.#swallowed.size === 0;
  }

  swallow(direction: Direction): void {
    this.#swallowed.add(direction);
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      // One that has said its last can not be reset any more.
      if (socket.writableEnded) socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

interface PipePorts {
  readonly toxics: () => Toxics;
  readonly isSwallowed: () => boolean;
}

/** Passes one direction on: pieces go out in the order in which they came. */
function pipe(from: Socket, to: Socket, { toxics, isSwallowed }: PipePorts): void {
  let last: Promise<void> = Promise.resolve();
  let dueAt = 0;
  const pass = (deliver: () => Promise<void> | void): void => {
    if (isSwallowed()) return;
    const { latencyMs = 0, jitterMs = 0 } = toxics();
    dueAt = Math.max(dueAt, performance.now() + latencyMs + Math.random() * jitterMs);
    last = afterwards(last, dueAt, async () => {
      if (!isSwallowed() && !to.destroyed) await deliver();
    });
  };
  from.on('data', (piece: Buffer) => pass(() => write(to, piece, toxics().sliced === true)));
  from.once('end', () => pass(() => void to.end()));
  from.once('close', () => pass(() => void to.destroy()));
}

async function afterwards(
  last: Promise<void>,
  dueAt: number,
  run: () => Promise<void>,
): Promise<void> {
  await last;
  const waitMs = dueAt - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  await run();
}

async function write(to: Socket, piece: Buffer, isSliced: boolean): Promise<void> {
  if (!isSliced) {
    to.write(piece);
    return;
  }
  for (let at = 0; at < piece.length && !to.destroyed; at++) {
    to.write(piece.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
