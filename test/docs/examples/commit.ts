import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Cacheable,
  CacheEvict,
  CacheHierarchy,
  CacheHierarchyModule,
} from 'nestjs-cache-hierarchy';

const rows = new Map([['tea', 3]]); // what is committed
const keyOf = (item: string) => `stock:${item}`;

@Injectable()
class StockService {
  @Cacheable({ key: keyOf })
  async stock(item: string): Promise<number> {
    return rows.get(item) ?? 0;
  }

  @CacheEvict({ key: keyOf, hold: '10s' }) // longer than it takes until the commit
  async take(item: string, transaction: (() => void)[]): Promise<void> {
    transaction.push(() => rows.set(item, (rows.get(item) ?? 0) - 1));
  }
}

const app = await Test.createTestingModule({
  imports: [CacheHierarchyModule.forRoot()],
  providers: [StockService],
}).compile();
const shop = app.get(StockService);
const cache = app.get(CacheHierarchy);

const transaction: (() => void)[] = [];
await shop.take('tea', transaction);
console.log(await shop.stock('tea'), cache.has('stock:tea')); // 3 false
for (const change of transaction) change(); // the commit
console.log(await shop.stock('tea'), cache.has('stock:tea')); // 2 false
await app.close();
