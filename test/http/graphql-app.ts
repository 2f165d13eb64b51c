/**
 * A process of its own, since Jest on Node 20 can not load mercurius: an application with GraphQL queries, resolved
 * fields and a route, which asks itself for all of them twice and prints the answers; then another one that has
 * the interceptor for everything.
 */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, type Provider } from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { Args, GraphQLModule, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  Cacheable,
  CacheHierarchyModule,
  CacheResponse,
  CacheResponseInterceptor,
} from '../../lib/index.js';

const QUERY = '{ place(id: 1) { run name } city(id: 1) { run alias } }';
/** The interceptor meets a parent where a request would be. */
const LIKE_A_REQUEST = { method: 'GET', url: '/place', headers: {} };
const runs = { route: 0, place: 0, name: 0, city: 0, alias: 0 };

@Controller()
class PlacesController {
  @Get('place')
  @CacheResponse()
  place(): unknown {
    return { run: (runs.route += 1) };
  }
}

@Resolver('Place')
class PlacesResolver {
  @Query('place')
  @CacheResponse()
  place(@Args('id') id: number): unknown {
    return { id, run: (runs.place += 1), ...LIKE_A_REQUEST };
  }

  @ResolveField('name')
  @CacheResponse()
  name(): string {
    return `name ${(runs.name += 1)}`;
  }

  @Query('city')
  @Cacheable()
  async city(@Args('id') id: number): Promise<unknown> {
    return { id, run: (runs.city += 1) };
  }

  @ResolveField('alias')
  @Cacheable()
  async alias(@Parent() { id }: { id: number }): Promise<string> {
    return `alias ${(runs.alias += 1)} of ${id}`;
  }
}

const graphql: MercuriusDriverConfig = {
  driver: MercuriusDriver,
  typeDefs:
    'type Place { id: Int! run: Int! name: String! alias: String! } ' +
    'type Query { place(id: Int!): Place city(id: Int!): Place }',
  fieldResolverEnhancers: ['interceptors'],
};

/** Asks an application of these providers for the query and the route, each twice. */
async function ask(...providers: Provider[]): Promise<unknown[]> {
  @Module({
    imports: [CacheHierarchyModule.forRoot(), GraphQLModule.forRoot(graphql)],
    controllers: [PlacesController],
    providers: [PlacesResolver, ...providers],
  })
  class AppModule {}

  Object.assign(runs, { route: 0, place: 0, name: 0, city: 0, alias: 0 });
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const query = `/graphql?query=${encodeURIComponent(QUERY)}`;
  const answers = [];
  for (const path of [query, query, '/place', '/place']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    answers.push([response.headers.get('cache-status'), await response.json()]);
  }
  await app.close();
  return answers;
}

const byRoute = await ask();
const global = await ask({ provide: APP_INTERCEPTOR, useClass: CacheResponseInterceptor });
console.log(JSON.stringify({ byRoute, global }));
