/** Where the cache gets its time and its turns from. Replace it in tests to make time stand still. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since 1970, as the wall clock has it. */
  wallNow(): number;
  /**
   * Calls `run` once after `delayMs` and returns a function that cancels it. Any delay is legal: an
   * infinite one never runs, one beyond 24.8 days is kept whole. Does not keep the process alive.
   */
  setTimer(run: () => void, delayMs: number): () => void;
  /** Calls `run` once in the next turn of the event loop; returns a function that cancels it. */
  setImmediate(run: () => void): () => void;
}

/** Node's timers overflow beyond this and would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Does what {@link Clock.setTimer} says with Node's timers.
 *
 * @param onArm hears of each timer of Node's that it takes, one after the other
 */
export function setLongTimer(
  run: () => void,
  delayMs: number,
  onArm?: (timeout: NodeJS.Timeout) => void,
): () => void {
  if (delayMs === Infinity) return () => {};
  let remainingMs = delayMs;
  let timeout: NodeJS.Timeout;
  const arm = (): void => {
    const nextMs = Math.min(remainingMs, LONGEST_TIMEOUT_MS);
    remainingMs -= nextMs;
    timeout = setTimeout(remainingMs > 0 ? arm : run, nextMs).unref();
    onArm?.(timeout);
  };
  arm();
  return () => clearTimeout(timeout);
}

/** The process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer: (run, delayMs) => setLongTimer(run, delayMs),
  setImmediate(run) {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
};

const NativeDate = Date;
const nextTick = process.nextTick.bind(process);

/** Calls `run` before the event loop goes on, also where a test has put fake timers in place. */
export function soon(run: () => void): void {
  nextTick(run);
}

/** Whether a test has put fake timers in place: its time may go on by hours within a turn. */
export function isTimeFaked(): boolean {
  return Date !== NativeDate;
}
