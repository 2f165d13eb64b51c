import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CacheHierarchy,
  CacheHierarchyModule,
  CachePut,
} from 'nestjs-cache-hierarchy';

interface Place {
  id: number;
  name: string;
  country: string;
}

const table = new Map([[1, { id: 1, name: 'Paris', country: 'FR' }]]); // stands for a database
const keyOf = (id: number) => `place:${id}`;

@CacheConfig({ keyPrefix: 'v1:', ttl: '5m', tags: 'places' })
@Injectable()
class PlacesService {
  @Cacheable({
    key: keyOf,
    unless: (place: Place | undefined) => place?.name === 'draft',
    resultTags: (place: Place | undefined) => `country:${place?.country}`,
  })
  async find(id: number): Promise<Place | undefined> {
    return table.get(id);
  }

  @CachePut({ key: keyOf })
  async rename(id: number, name: string): Promise<Place> {
    const place = { id, name, country: 'FR' };
    table.set(id, place);
    return place;
  }

  @CacheEvict({ key: keyOf })
  async remove(id: number): Promise<void> {
    table.delete(id);
  }

  @CacheEvict({ tags: (country: string) => `country:${country}` })
  async redrawn(_country: string): Promise<void> {}
}

const app = await Test.createTestingModule({
  imports: [CacheHierarchyModule.forRoot()],
  providers: [PlacesService],
}).compile();
const places = app.get(PlacesService);
const cache = app.get(CacheHierarchy);

await places.find(1);
console.log(cache.peek('v1:place:1')); // { id: 1, name: 'Paris', country: 'FR' }
await places.redrawn('FR');
console.log(cache.has('v1:place:1')); // false
await places.rename(1, 'Lutetia');
console.log(cache.peek('v1:place:1')); // { id: 1, name: 'Lutetia', country: 'FR' }
await places.remove(1);
console.log(await places.find(1)); // undefined
await app.close();
