import { isatty } from 'node:tty';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { envFile, settings } from '../settings.js';
import { StartError } from '../start-error.js';
import { demonstrate } from './demonstration.js';
import { Fleet } from './fleet.js';

const logger = new Logger('Fleet');
Logger.overrideLogger(new ConsoleLogger({ colors: isatty(process.stdout.fd) }));

process.loadEnvFile(envFile);
await run().catch((error: unknown) => {
  const reason = error instanceof StartError ? error.message : error;
  logger.error(reason);
  process.exitCode = 1;
});

async function run(): Promise<void> {
  const fleet = new Fleet(settings());
  const stopped = new Promise<'stopped'>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => resolve('stopped'));
  });
  try {
    const shown = await Promise.race([show(fleet), stopped]);
    if (shown === 'stopped') return;
    await Promise.race([stopped, fleet.watch()]);
  } finally {
    logger.log('Stopping');
    await fleet.stop();
  }
}

async function show(fleet: Fleet): Promise<void> {
  await fleet.start();
  await demonstrate(fleet.instances);
  const urls = fleet.instances.map(({ url }) => url).join(' ');
  logger.log(`Change a place at one and look at the others: ${urls}`);
}
