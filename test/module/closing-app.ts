/** A process of its own: an application that serves, closes unless told not to, and has nothing left to do. */
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cacheable, CacheHierarchyModule } from '../../lib/index.js';

@Injectable()
class PlacesService {
  @Cacheable()
  async find(id: number): Promise<string> {
    return `place ${id}`;
  }
}

@Module({ imports: [CacheHierarchyModule.forRoot()], providers: [PlacesService] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.init();
if (process.argv.includes('--listen')) await app.listen(0, '127.0.0.1');
console.log(await app.get(PlacesService).find(1));
if (!process.argv.includes('--leave-open')) await app.close();
