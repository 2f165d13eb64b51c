import {
  Controller,
  Get,
  Logger,
  NotFoundException,
  Post,
  Req,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { CacheDashboard } from './cache-dashboard.js';
import { runAction } from './dashboard-actions.js';
import type { ResolvedRoute } from './dashboard-options.js';
import type { ActionAnswer } from './dashboard-state.js';
import type { PageFile } from './page-files.js';
import { RawExchange, setHeaders } from './raw-exchange.js';
import { RefusedRequest } from './refused-request.js';
import { assertNotOtherSite, assertOwnPage } from './same-origin.js';

/** Runs before the guard of the user, so that its refusals have the headers as well. */
const HEADERS: CanActivate = {
  canActivate(context: ExecutionContext): boolean {
    setHeaders(context.switchToHttp().getResponse<object>());
    return true;
  },
};

/** Makes the controller of a dashboard: its path and its guard are known before anything can be injected. */
export function dashboardController({ path, guard }: ResolvedRoute): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(HEADERS, ...(guard === null ? [] : [guard]))
  class CacheDashboardController {
    private readonly logger = new Logger('CacheDashboard');

    constructor(private readonly dashboard: CacheDashboard) {}

    @Get()
    async page(@Req() request: object, @Res() response: object): Promise<void> {
      await this.file('index.html', request, response);
    }

    @Get('dashboard.js')
    async script(@Req() request: object, @Res() response: object): Promise<void> {
      await this.file('dashboard.js', request, response);
    }

    @Get('dashboard.css')
    async style(@Req() request: object, @Res() response: object): Promise<void> {
      await this.file('dashboard.css', request, response);
    }

    @Get('events')
    async events(@Req() request: object, @Res() response: object): Promise<void> {
      await this.answer(new RawExchange(request, response), async (exchange) => {
        assertNotOtherSite(exchange);
        this.dashboard.watch(exchange);
      });
    }

    @Post('actions/:action')
    async act(@Req() request: object, @Res() response: object): Promise<void> {
      if (!this.dashboard.settings.mutations)
        throw new NotFoundException('The dashboard changes nothing here: mutations is false.');
      await this.answer(new RawExchange(request, response), async (exchange) => {
        assertOwnPage(exchange);
        const { caches } = this.dashboard;
        const done: ActionAnswer = await runAction(
          exchange.param('action'),
          await exchange.json(),
          caches,
        );
        exchange.send(200, 'application/json', JSON.stringify(done));
      });
    }

    private async file(name: PageFile, request: object, response: object): Promise<void> {
      await this.answer(new RawExchange(request, response), async (exchange) => {
        this.dashboard.files.answer(exchange, name, path);
      });
    }

    /** Nobody else answers any more: what is thrown must be, and tells nothing of the inside. */
    private async answer(
      exchange: RawExchange,
      run: (exchange: RawExchange) => Promise<void>,
    ): Promise<void> {
      try {
        await run(exchange);
      } catch (error) {
        const isRefused = error instanceof RefusedRequest;
        if (!isRefused) this.logger.error('A request of the dashboard has failed.', error);
        if (exchange.response.headersSent) {
          exchange.response.destroy();
          return;
        }
        const message = isRefused
          ? error.message
          : 'It has failed: see the log of the application.';
        const status = isRefused ? error.status : 500;
        exchange.send(status, 'application/json', JSON.stringify({ message }));
      }
    }
  }
  return CacheDashboardController;
}
