/** For how long a connection may take to be made, in milliseconds. */
export const CONNECT_WITHIN_MS = 1_000;

/**
 * For how long a node of a Cluster that is asked which others there are may say nothing, in milliseconds: it
 * may have stopped, and accept connections all the same.
 */
export const SILENT_FOR_MS = 2_000;

/**
 * Returns how long to wait before a connection is tried to be made again, in milliseconds: soon, and in the
 * end once a second, at times that differ from process to process.
 */
export function pauseBeforeConnect(attempt: number): number {
  return Math.min(50 * Math.max(attempt, 1), 1_000) * (0.5 + Math.random() / 2);
}
