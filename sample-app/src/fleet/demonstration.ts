import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Instance, PlaceAnswer } from './instance.js';

const BERLIN = 2_950_159;
const DEADLINE_MS = 10_000;
const logger = new Logger('Fleet');

/** Asks all instances for a place, changes it at one, and measures when the others show it. */
export async function demonstrate(instances: readonly Instance[]): Promise<void> {
  const [writer, ...others] = instances as [Instance, ...Instance[]];
  for (const instance of [...instances, ...instances]) tell(instance, await instance.ask(BERLIN));

  const { population } = (await writer.ask(BERLIN)).data;
  await change(writer, others, population + 1);
  // As it was before, so that the next run shows the same.
  await change(writer, others, population);
}

async function change(
  writer: Instance,
  others: readonly Instance[],
  population: number,
): Promise<void> {
  logger.log(`${writer.name} is told that Berlin has ${population} people`);
  const told = writer.change(BERLIN, { population });
  await told;
  const changedAt = performance.now();
  await Promise.all(
    others.map(async (instance) => {
      const answer = await untilShown(instance, population);
      const ms = Math.round(performance.now() - changedAt);
      logger.log(`  visible at ${instance.name} after ${ms} ms, from the ${answer.source}`);
    }),
  );
}

async function untilShown(instance: Instance, population: number): Promise<PlaceAnswer> {
  const latest = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await instance.ask(BERLIN);
    if (answer.data.population === population) return answer;
    if (performance.now() > latest) throw new Error(`${instance.name} shows an old value.`);
    await sleep(1);
  }
}

function tell(instance: Instance, { source, tookMs, data }: PlaceAnswer): void {
  logger.log(
    `${instance.name} has ${data.name} with ${data.population} people from the ${source}, in ${tookMs} ms`,
  );
}
