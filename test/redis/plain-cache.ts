import { Redis } from 'ioredis';

/**
 * What most applications write: GET, load, SET, and DEL when the database has changed, with a copy in the
 * process that a message removes. The control of every oracle: it has to be found stale.
 */
export class PlainCache {
  readonly #copies = new Map<string, number>();
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #name: string;

  private constructor(port: number, name: string) {
    this.#commands = new Redis(port);
    this.#subscriber = new Redis(port);
    this.#name = name;
    for (const client of [this.#commands, this.#subscriber]) client.on('error', () => {});
    this.#subscriber.on('message', (_, key) => this.#copies.delete(key));
  }

  static async open(port: number, name: string): Promise<PlainCache> {
    const cache = new PlainCache(port, name);
    await cache.#subscriber.subscribe(`${name}:deleted`);
    return cache;
  }

  async getOrSet(key: string, load: () => number | Promise<number>): Promise<number> {
    const copy = this.#copies.get(key);
    if (copy !== undefined) return copy;
    const stored = await this.#commands.get(`${this.#name}:${key}`);
    const value = stored === null ? await load() : Number(stored);
    if (stored === null) await this.#commands.set(`${this.#name}:${key}`, value, 'PX', 60_000);
    this.#copies.set(key, value);
    return value;
  }

  peek(key: string): number | undefined {
    return this.#copies.get(key);
  }

  async set(key: string, value: number): Promise<void> {
    await this.#commands.set(`${this.#name}:${key}`, value, 'PX', 60_000);
    this.#copies.set(key, value);
    await this.#commands.publish(`${this.#name}:deleted`, key);
  }

  async delete(key: string): Promise<void> {
    this.#copies.delete(key);
    await this.#commands.del(`${this.#name}:${key}`);
    await this.#commands.publish(`${this.#name}:deleted`, key);
  }

  async close(): Promise<void> {
    this.#commands.disconnect();
    this.#subscriber.disconnect();
  }
}
