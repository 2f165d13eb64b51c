import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy, CacheHierarchyModule, InjectCache } from 'nestjs-cache-hierarchy';

@Injectable()
class SessionsService {
  constructor(
    @InjectCache('sessions') readonly sessions: CacheHierarchy,
    readonly cache: CacheHierarchy, // the default one
  ) {}
}

@Module({
  imports: [
    CacheHierarchyModule.forFeature([
      { name: 'sessions', ttl: '20m', l1: { maxEntries: 100_000 } },
    ]),
  ],
  providers: [SessionsService],
})
class SessionsModule {}

@Module({ imports: [CacheHierarchyModule.forRoot({ l2: false }), SessionsModule] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const { sessions, cache } = app.get(SessionsService);

await sessions.set('1', { user: 'ada' });
await cache.set('1', { name: 'Paris' });
console.log(await sessions.get('1'), await cache.get('1')); // { user: 'ada' } { name: 'Paris' }

await cache.clear();
console.log(sessions.has('1'), cache.has('1')); // true false
console.log(sessions.l2); // null
await app.close();
