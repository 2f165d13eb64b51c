import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  ForbiddenException,
  Get,
  Req,
  Res,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { CacheHierarchy, CacheResponse, type CachedRequest } from 'nestjs-cache-hierarchy';
import { ADAPTERS, HttpApp, statusOf } from './http-app.js';

let runs = 0;

interface AnyResponse {
  header(name: string, value: string): AnyResponse;
}

interface UserRequest extends CachedRequest {
  user?: { id: string | number };
}

/** Takes the name of the user from a header, as a token would give it. */
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<UserRequest>();
    const name = request.headers['x-user'] as string | undefined;
    if (name === 'banned') throw new ForbiddenException();
    if (name !== undefined) request.user = { id: name };
    return true;
  }
}

const body = ({ user }: UserRequest): string => `${user?.id ?? 'nobody'} ${(runs += 1)}`;

@Controller()
@UseGuards(UserGuard)
class AccountController {
  @Get('default')
  @CacheResponse()
  default(@Req() request: UserRequest): string {
    return body(request);
  }

  @Get('public')
  @CacheResponse({ scope: 'public' })
  public(): string {
    return `public ${(runs += 1)}`;
  }

  @Get('mine')
  @CacheResponse<UserRequest>({ scope: 'user', identify: ({ user }) => user?.id })
  mine(@Req() request: UserRequest): string {
    return body(request);
  }

  @Get('numbered')
  @CacheResponse<UserRequest>({ scope: 'user', identify: ({ user }) => Number(user?.id) })
  numbered(@Req() request: UserRequest): string {
    return body(request);
  }

  @Get('promised')
  @CacheResponse({ scope: 'user', identify: (async () => 'ada') as unknown as () => string })
  promised(@Req() request: UserRequest): string {
    return body(request);
  }

  @Get('private')
  @CacheResponse<UserRequest>({ scope: 'user', identify: ({ user }) => user?.id })
  private(@Req() request: UserRequest, @Res({ passthrough: true }) response: AnyResponse): string {
    response.header('Cache-Control', 'private, max-age=60');
    return body(request);
  }
}

describe.each(ADAPTERS)('the users of responses on %s', (_, adapter) => {
  let app: HttpApp;

  beforeEach(async () => {
    runs = 0;
    app = await HttpApp.start(adapter, { controllers: [AccountController] });
  });

  afterEach(() => app.close());

  const as = async (user: string, path: string): Promise<string> =>
    (await app.ask(path, { headers: { 'X-User': user } })).body;

  it.each([
    ['Authorization', { Authorization: 'Bearer token' }],
    ['a cookie', { Cookie: 'session=1' }],
    ['a user', { 'X-User': 'ada' }],
  ])('bypass the cache with %s, unless the route says who may share', async (_name, headers) => {
    await app.ask('/default');
    const replies = [
      await app.ask('/default', { headers }),
      await app.ask('/default', { headers }),
    ];

    expect(runs).toBe(3);
    expect(replies.map(statusOf)).toEqual(['fwd=bypass', 'fwd=bypass']);
    expect(statusOf(await app.ask('/default'))).toBe('hit');
  });

  it('share what is public, whatever they send', async () => {
    await app.ask('/public', { headers: { Authorization: 'Bearer token', Cookie: 'session=1' } });

    expect(await as('ada', '/public')).toBe('public 1');
  });

  it('have responses of their own where they are identified', async () => {
    expect(await as('ada', '/mine')).toBe('ada 1');
    expect(await as('bob', '/mine')).toBe('bob 2');
    expect(await as('ada', '/mine')).toBe('ada 1');
  });

  it('are not cached where they are not identified', async () => {
    const replies = [await app.ask('/mine'), await app.ask('/mine')];

    expect(replies.map((reply) => [reply.body, statusOf(reply)])).toEqual([
      ['nobody 1', 'fwd=bypass'],
      ['nobody 2', 'fwd=bypass'],
    ]);
  });

  it('are not one user when none of them is a number', async () => {
    expect(await as('ada', '/numbered')).toBe('ada 1');
    expect(await as('bob', '/numbered')).toBe('bob 2');
    expect(await as('7', '/numbered')).toBe('7 3');
    expect(await as('7', '/numbered')).toBe('7 3');
  });

  it('are refused when the route does not name them with a text or a number', async () => {
    const reply = await app.ask('/promised', { headers: { 'X-User': 'ada' } });

    expect(reply.status).toBe(500);
    expect(runs).toBe(0);
  });

  it('have what is private kept for them alone', async () => {
    expect(await as('ada', '/private')).toBe('ada 1');
    expect(await as('ada', '/private')).toBe('ada 1');
    expect(await as('bob', '/private')).toBe('bob 2');
  });

  it('are told that no one else may keep their responses', async () => {
    const headers = { 'X-User': 'ada' };
    const replies = [await app.ask('/mine', { headers }), await app.ask('/mine', { headers })];

    for (const reply of replies) expect(reply.headers['cache-control']).toBe('private, no-cache');
  });

  it('meet their guards on hits', async () => {
    await as('ada', '/public');

    expect((await app.ask('/public', { headers: { 'X-User': 'banned' } })).status).toBe(403);
  });

  it('are in no key by their name', async () => {
    await as('ada', '/mine');
    const keys = [...app.get(CacheHierarchy).l1.entries()].map(([key]) => key);

    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatch(/ user:/);
    expect(keys[0]).not.toContain('ada');
  });
});
