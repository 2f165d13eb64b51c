/** Hears of a failure of telemetry; it does not throw. */
export type Failed = (error: unknown) => void;

/** What is told of the first failure. */
export const TELEMETRY_FAILED =
  'Telemetry of a cache has failed, and is left out where it does; the cache goes on. Later failures are not told.';

/** Tells the first failure of telemetry, and no other: caches go on without it. */
export function tellOnce(tell: (error: unknown) => void): Failed {
  let isTold = false;
  return (error) => {
    if (isTold) return;
    isTold = true;
    try {
      tell(error);
    } catch {
      // There is nobody else to tell.
    }
  };
}
