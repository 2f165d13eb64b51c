/** For how long a connection may take to be made, in milliseconds. */
export const CONNECT_WITHIN_MS = 1_000;

/**
 * Returns how long to wait before a connection is tried to be made again, in milliseconds: soon, and in the
 * end once a second, at times that differ from process to process.
 */
export function pauseBeforeConnect(attempt: number): number {
  return Math.min(50 * Math.max(attempt, 1), 1_000) * (0.5 + Math.random() / 2);
}
