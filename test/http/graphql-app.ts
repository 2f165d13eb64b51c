/**
 * A process of its own, since Jest on Node 20 can not load mercurius: an application with a GraphQL query, a
 * resolved field and a route, all of them marked, which asks itself for each twice and prints the answers.
 */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Args, GraphQLModule, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CacheHierarchyModule, CacheResponse } from '../../lib/index.js';

let runs = 0;

@Controller()
class PlacesController {
  @Get('place')
  @CacheResponse()
  place(): unknown {
    return { run: (runs += 1) };
  }
}

@Resolver('Place')
class PlacesResolver {
  @Query('place')
  @CacheResponse()
  place(@Args('id') id: number): unknown {
    return { id, run: (runs += 1) };
  }

  @ResolveField('name')
  @CacheResponse()
  name(): string {
    return `name ${(runs += 1)}`;
  }
}

const graphql: MercuriusDriverConfig = {
  driver: MercuriusDriver,
  typeDefs: 'type Place { id: Int! run: Int! name: String! } type Query { place(id: Int!): Place }',
  fieldResolverEnhancers: ['interceptors'],
};

@Module({
  imports: [CacheHierarchyModule.forRoot(), GraphQLModule.forRoot(graphql)],
  controllers: [PlacesController],
  providers: [PlacesResolver],
})
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
const query = `/graphql?query=${encodeURIComponent('{ place(id: 1) { id run name } }')}`;
const answers = [];
for (const path of [query, query, '/place', '/place']) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  answers.push([response.headers.get('cache-status'), await response.json()]);
}
console.log(JSON.stringify(answers));
await app.close();
