import 'reflect-metadata';
import { Injectable, Module, UnauthorizedException } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheDashboardModule } from 'nestjs-cache-hierarchy/dashboard';

const ADMIN = `Basic ${btoa('admin:secret')}`;

@Injectable()
class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    if (http.getRequest<Request>().headers.authorization === ADMIN) return true;
    http.getResponse<Response>().setHeader('WWW-Authenticate', 'Basic');
    throw new UnauthorizedException();
  }
}

@Module({
  imports: [
    CacheHierarchyModule.forRoot(),
    CacheDashboardModule.forRoot({ path: 'admin/cache', guard: AdminGuard, mutations: true }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0);

const page = `${await app.getUrl()}/admin/cache`;
const stranger = await fetch(page);
const admin = await fetch(`${page}/events`, { headers: { authorization: ADMIN } });
console.log(stranger.status, admin.status); // 401 200
await app.close();

interface Request {
  readonly headers: { readonly authorization?: string };
}

interface Response {
  setHeader(name: string, value: string): void;
}
