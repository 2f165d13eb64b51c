import { Redis } from 'ioredis';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { messagePack, redisLevel, type Codec } from 'nestjs-cache-hierarchy/redis';

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}

  toString() {
    return `${this.amount} ${this.currency}`;
  }
}

const plain = messagePack();
const codec: Codec = {
  id: 'money-1',
  encode: (value) =>
    plain.encode(value instanceof Money ? { money: [value.amount, value.currency] } : { value }),
  decode: (bytes) => {
    const { money, value } = plain.decode(bytes) as { money?: [number, string]; value?: unknown };
    return money === undefined ? value : new Money(...money);
  },
};

const client = new Redis(process.env['REDIS_URL']!, { lazyConnect: true });
const open = () => new CacheHierarchy({ remote: redisLevel({ client, prefix: 'shop', codec }) });
const [here, there] = [open(), open()];

await here.set('price', new Money(12, 'EUR'));
console.log(String(await there.get('price'))); // 12 EUR
await Promise.all([here.close(), there.close()]);
