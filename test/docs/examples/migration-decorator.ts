import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cacheable, CacheHierarchyModule } from 'nestjs-cache-hierarchy';

@Injectable()
class PlacesService {
  @Cacheable({ key: (id: number) => `place:${id}`, ttl: '5m', tags: 'places' })
  async find(id: number) {
    console.log(`asks the database for ${id}`);
    return { id, name: 'Paris' };
  }
}

@Module({ imports: [CacheHierarchyModule.forRoot()], providers: [PlacesService] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const places = app.get(PlacesService);

console.log(await places.find(1)); // asks the database for 1, { id: 1, name: 'Paris' }
console.log(await places.find(1)); // { id: 1, name: 'Paris' }
await app.close();
