import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import type { ClientConfig } from 'pg';

const LOGGED_STEP_PERCENT = 10;

/** Loads the cities from a worker thread and logs how far it is, a line for every tenth. */
export function loadInWorker(config: ClientConfig, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const logger = new Logger('Dataset');
  const worker = new Worker(new URL('./dataset.worker.js', import.meta.url), {
    workerData: { connectionString: config.connectionString },
  });
  const abort = (): void => void worker.terminate();
  signal.addEventListener('abort', abort);

  let nextPercent = 0;
  worker.on('message', (share: number) => {
    const percent = Math.floor(share * 100);
    if (percent < nextPercent) return;
    nextPercent = percent - (percent % LOGGED_STEP_PERCENT) + LOGGED_STEP_PERCENT;
    logger.log(`Loading the cities: ${String(percent).padStart(3)} %`);
  });
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the loading ended with code ${code}`));
    });
  });
  return ended.finally(() => signal.removeEventListener('abort', abort));
}
