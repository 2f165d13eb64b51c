import { Redis } from 'ioredis';

/** A copy of a value, and when it was made. */
interface Copy {
  readonly value: number;
  readonly madeAt: number;
}

/**
 * What most applications write: GET, load, SET, and DEL when the database has changed, with a copy in the
 * process that a message removes, where it is newer by the clocks of both. The control of every oracle: it has
 * to be found stale.
 */
export class PlainCache {
  readonly #copies = new Map<string, Copy>();
  readonly #wallNow: () => number;
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #name: string;

  private constructor(port: number, name: string, wallNow: () => number) {
    this.#commands = new Redis(port);
    this.#subscriber = new Redis(port);
    this.#name = name;
    this.#wallNow = wallNow;
    for (const client of [this.#commands, this.#subscriber]) client.on('error', () => {});
    this.#subscriber.on('message', (_, message) => this.#hear(message));
  }

  static async open(port: number, name: string, wallNow = Date.now): Promise<PlainCache> {
    const cache = new PlainCache(port, name, wallNow);
    await cache.#subscriber.subscribe(`${name}:deleted`);
    return cache;
  }

  async getOrSet(key: string, load: () => number | Promise<number>): Promise<number> {
    const copy = this.#copies.get(key);
    if (copy !== undefined) return copy.value;
    const stored = await this.#commands.get(`${this.#name}:${key}`);
    const value = stored === null ? await load() : Number(stored);
    if (stored === null) await this.#commands.set(`${this.#name}:${key}`, value, 'PX', 60_000);
    this.#copy(key, value);
    return value;
  }

  peek(key: string): number | undefined {
    return this.#copies.get(key)?.value;
  }

  async set(key: string, value: number): Promise<void> {
    await this.#commands.set(`${this.#name}:${key}`, value, 'PX', 60_000);
    this.#copy(key, value);
    await this.#tell(key);
  }

  async delete(key: string): Promise<void> {
    this.#copies.delete(key);
    await this.#commands.del(`${this.#name}:${key}`);
    await this.#tell(key);
  }

  async close(): Promise<void> {
    this.#commands.disconnect();
    this.#subscriber.disconnect();
  }

  #copy(key: string, value: number): void {
    this.#copies.set(key, { value, madeAt: this.#wallNow() });
  }

  #tell(key: string): Promise<number> {
    return this.#commands.publish(`${this.#name}:deleted`, `${this.#wallNow()} ${key}`);
  }

  #hear(message: string): void {
    const [toldAt, key] = message.split(' ') as [string, string];
    const copy = this.#copies.get(key);
    if (copy !== undefined && copy.madeAt <= Number(toldAt)) this.#copies.delete(key);
  }
}
