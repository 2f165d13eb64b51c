import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';

interface Country {
  code: string;
  cities: number;
}

@Injectable()
class CountriesService {
  constructor(private readonly cache: CacheHierarchy) {}

  find(code: string): Promise<Country> {
    return this.cache.getOrSet(`country:${code}`, () => this.count(code), {
      ttl: '10m',
      tags: ['cities', `country:${code}`],
    });
  }

  async cityAdded(code: string): Promise<void> {
    await this.cache.invalidateTags(`country:${code}`);
  }

  private async count(code: string): Promise<Country> {
    return { code, cities: 3 };
  }
}

const app = await Test.createTestingModule({
  imports: [CacheHierarchyModule.forRoot({ l1: { ttl: '30s' } })],
  providers: [CountriesService],
}).compile();
const countries = app.get(CountriesService);
const cache = app.get(CacheHierarchy);

await countries.find('FR');
console.log(cache.has('country:FR')); // true
await countries.cityAdded('FR');
console.log(cache.has('country:FR')); // false
await app.close();
