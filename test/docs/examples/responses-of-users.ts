import 'reflect-metadata';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchyModule, CacheResponse, type CachedRequest } from 'nestjs-cache-hierarchy';

// A guard or a middleware has put it there.
type UserRequest = CachedRequest & { user?: { id: number } };

const CacheForUser = () =>
  CacheResponse<UserRequest>({ scope: 'user', identify: ({ user }) => user?.id });

let runs = 0;

@Controller()
class OrdersController {
  @Get('orders')
  @CacheForUser()
  mine(@Req() { user }: UserRequest) {
    return `orders of ${user?.id}, run ${(runs += 1)}`;
  }
}

@Module({ imports: [CacheHierarchyModule.forRoot()], controllers: [OrdersController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.use((request: { headers: object; user?: object }, _response: object, next: () => void) => {
  if ('x-user' in request.headers) request.user = { id: Number(request.headers['x-user']) };
  next();
});
await app.listen(0, '127.0.0.1');
const url = `${await app.getUrl()}/orders`;
const as = async (id: string) => (await fetch(url, { headers: { 'X-User': id } })).text();

console.log(await as('1')); // orders of 1, run 1
console.log(await as('2')); // orders of 2, run 2
console.log(await as('1')); // orders of 1, run 1
await app.close();
