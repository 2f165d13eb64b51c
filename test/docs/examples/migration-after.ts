import 'reflect-metadata';
import { CACHE_MANAGER, type Cache } from '@nestjs/cache-manager';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheManagerModule } from 'nestjs-cache-hierarchy/cache-manager';

@Injectable()
class PlacesService {
  constructor(@Inject(CACHE_MANAGER) private readonly cache: Cache) {}

  find(id: number) {
    return this.cache.wrap(`place:${id}`, () => this.load(id), 300_000);
  }

  private async load(id: number) {
    console.log(`asks the database for ${id}`);
    return { id, name: 'Paris' };
  }
}

@Module({
  imports: [CacheHierarchyModule.forRoot(), CacheManagerModule.register({ ttl: 60_000 })],
  providers: [PlacesService],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const places = app.get(PlacesService);

console.log(await places.find(1)); // asks the database for 1, { id: 1, name: 'Paris' }
console.log(await places.find(1)); // { id: 1, name: 'Paris' }
await app.close();
