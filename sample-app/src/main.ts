import { isatty } from 'node:tty';
import { ConsoleLogger, type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { AppModule } from './app.module.js';
import { type Settings, settings } from './settings.js';
import { StartError } from './start-error.js';

/** Where `npm run load` asks unless it is told otherwise. */
const DEFAULT_URL = 'http://localhost:3000';

const logger = new Logger('SampleApp');

await start();

async function start(): Promise<void> {
  const options = {
    abortOnError: false,
    logger: new ConsoleLogger({ colors: isatty(process.stdout.fd) }),
  };
  // What fails here Nest has logged already: settings that can not be used, for one.
  const app = await NestFactory.create(AppModule, options).catch(() => undefined);
  if (app === undefined) process.exitCode = 1;
  else await serve(app);
}

async function serve(app: INestApplication): Promise<void> {
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  const { port } = app.get<Settings>(settings.KEY);
  try {
    await app.listen(port);
    announce((await app.getUrl()).replace('[::1]', 'localhost'));
    // Asks each level once: one that can not be reached is warned about now, and not when somebody waits for it.
    await app.get(CacheHierarchy).inspect('start');
  } catch (error) {
    // A signal ended the start, and its handler ends the process.
    if (error instanceof Error && error.name === 'AbortError') return;
    await app.close();
    logger.error(explain(error, port));
    process.exitCode = 1;
  }
}

function announce(url: string): void {
  logger.log(`Open ${url} or try, twice each:`);
  logger.log(`  ${url}/nearest?lat=52.52&lon=13.405`);
  logger.log(`  ${url}/search?q=sao`);
  logger.log(`  ${url}/statistics`);
  const load = url === DEFAULT_URL ? 'npm run load' : `npm run load -- --url ${url}`;
  logger.log(`Watch the cache at ${url}/cache and give it something to do: ${load}`);
}

function explain(error: unknown, port: number): string {
  if (error instanceof StartError) return error.message;
  const { code, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken. Stop what listens there or choose another: PORT=3001 npm start`;
  }
  if (code === 'EACCES') {
    return `Port ${port} is not allowed to this user. Choose one from 1024: PORT=3001 npm start`;
  }
  return stack ?? String(error);
}
