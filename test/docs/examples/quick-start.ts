import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cacheable, CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';

const names = new Map([[1, 'Paris']]); // stands for a database

@Injectable()
class PlacesService {
  constructor(private readonly cache: CacheHierarchy) {}

  @Cacheable({ key: (id: number) => `place:${id}`, ttl: '5m' })
  async find(id: number) {
    console.log(`asks the database for ${id}`);
    return { id, name: names.get(id) };
  }

  async rename(id: number, name: string) {
    names.set(id, name);
    await this.cache.delete(`place:${id}`);
  }
}

@Module({ imports: [CacheHierarchyModule.forRoot()], providers: [PlacesService] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const places = app.get(PlacesService);

console.log(await places.find(1)); // asks the database for 1, { id: 1, name: 'Paris' }
console.log(await places.find(1)); // { id: 1, name: 'Paris' }
await places.rename(1, 'Lutetia');
console.log(await places.find(1)); // asks the database for 1, { id: 1, name: 'Lutetia' }
await app.close();
