import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy, CacheHierarchyModule, CacheResponse } from 'nestjs-cache-hierarchy';

const names = new Map([['1', 'Paris']]); // stands for a database

@Controller('places')
class PlacesController {
  @Get(':id')
  @CacheResponse({ ttl: '5m', tags: ({ params }) => `place:${params['id']}` })
  find(@Param('id') id: string) {
    return { id, name: names.get(id) };
  }
}

@Module({ imports: [CacheHierarchyModule.forRoot()], controllers: [PlacesController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const url = `${await app.getUrl()}/places/1`;
const ask = async (headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  return [response.status, await response.text(), response.headers.get('cache-status')].join(' ');
};

console.log(await ask()); // 200 {"id":"1","name":"Paris"} nestjs-cache-hierarchy; fwd=miss; stored
console.log(await ask()); // 200 {"id":"1","name":"Paris"} nestjs-cache-hierarchy; hit

names.set('1', 'Lutetia');
await app.get(CacheHierarchy).invalidateTags('place:1');
console.log(await ask()); // 200 {"id":"1","name":"Lutetia"} nestjs-cache-hierarchy; fwd=miss; stored
console.log(await ask({ Cookie: 'session=1' })); // 200 {"id":"1","name":"Lutetia"} nestjs-cache-hierarchy; fwd=bypass
await app.close();
