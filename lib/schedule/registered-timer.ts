import type { SchedulerRegistry } from '@nestjs/schedule';
import { setLongTimer, type Clock } from '../clock.js';

/** What the timer of the cleanup is called in `SchedulerRegistry`. */
export const CACHE_CLEANUP_INTERVAL = 'cache-hierarchy:cleanup';

/**
 * Makes timers, one at a time, that are listed as the interval {@link CACHE_CLEANUP_INTERVAL} while they run. Once
 * somebody else has deleted it there, none is made any more.
 */
export function registeredTimer(registry: SchedulerRegistry): Clock['setTimer'] {
  let listed: NodeJS.Timeout | undefined;
  let deleted = false;

  const unlist = (): void => {
    if (listed === undefined) return;
    if (isListed(registry, listed)) registry.deleteInterval(CACHE_CLEANUP_INTERVAL);
    else deleted = true;
    listed = undefined;
  };
  const list = (timeout: NodeJS.Timeout): void => {
    unlist();
    if (deleted) {
      clearTimeout(timeout);
      return;
    }
    try {
      registry.addInterval(CACHE_CLEANUP_INTERVAL, timeout);
    } catch (error) {
      // The application has another interval of this name: the start fails, and nothing may run after it.
      clearTimeout(timeout);
      throw error;
    }
    listed = timeout;
  };

  return (run, delayMs) => {
    if (deleted) return () => {};
    const cancel = setLongTimer(run, delayMs, list);
    return () => {
      cancel();
      unlist();
    };
  };
}

function isListed(registry: SchedulerRegistry, timeout: NodeJS.Timeout): boolean {
  const exists = registry.doesExist('interval', CACHE_CLEANUP_INTERVAL);
  return exists && registry.getInterval(CACHE_CLEANUP_INTERVAL) === timeout;
}
