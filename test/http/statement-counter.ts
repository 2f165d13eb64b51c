import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const SSL_REQUEST = 80_877_103;

/**
 * Stands between a client and PostgreSQL and notes each statement that the client has executed, as
 * its messages say it: it sees what reaches the database's port, whatever the client believes.
 */
export class StatementCounter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #statements: string[] = [];

  private constructor(databasePort: number) {
    this.#server = createServer((client) => {
      const database = connect(databasePort, '127.0.0.1');
      const messages = new FrontendMessages((statement) => this.#statements.push(statement));
      client.on('data', (chunk: Buffer) => messages.add(chunk));
      client.pipe(database).pipe(client);
      for (const socket of [client, database]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          client.destroy();
          database.destroy();
          this.#sockets.delete(socket);
        });
      }
    });
  }

  /** Listens in front of the database on that loopback port. */
  static async inFrontOf(databasePort: number): Promise<StatementCounter> {
    const counter = new StatementCounter(databasePort);
    counter.#server.listen(0, '127.0.0.1');
    await once(counter.#server, 'listening');
    return counter;
  }

  /** The port to connect to instead of the database's. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Returns what was executed since the last call. */
  take(): string[] {
    const taken = this.#statements;
    this.#statements = [];
    return taken;
  }

  /** Cuts every connection and lets in no other. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}

/**
 * Cuts one client's bytes into messages of the PostgreSQL protocol 3.0: a start-up message without
 * a type, after it a type, a length that counts itself, and the rest.
 */
class FrontendMessages {
  #bytes = Buffer.alloc(0);
  #isStartUp = true;
  readonly #prepared = new Map<string, string>();
  #bound = '';

  constructor(private readonly onExecute: (statement: string) => void) {}

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const typeLength = this.#isStartUp ? 0 : 1;
      if (this.#bytes.length < typeLength + 4) return;
      const end = typeLength + this.#bytes.readInt32BE(typeLength);
      if (this.#bytes.length < end) return;
      const message = this.#bytes.subarray(0, end);
      this.#bytes = this.#bytes.subarray(end);
      if (this.#isStartUp) this.#isStartUp = message.readInt32BE(4) === SSL_REQUEST;
      else this.#read(String.fromCharCode(message[0]!), message.subarray(5));
    }
  }

  /** Query executes at once; Parse names a statement, Bind a portal of it, Execute runs that. */
  #read(type: string, body: Buffer): void {
    const texts = body.toString().split('\0');
    if (type === 'Q') this.onExecute(texts[0]!);
    if (type === 'P') this.#prepared.set(texts[0]!, texts[1]!);
    if (type === 'B') this.#bound = this.#prepared.get(texts[1]!) ?? '';
    if (type === 'E') this.onExecute(this.#bound);
  }
}
