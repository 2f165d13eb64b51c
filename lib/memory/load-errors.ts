import { InvalidArgumentError, LoadTimeoutError } from '../errors.js';
import { showKey } from './cache-key.js';

/** A loader asked for the key that it loads. */
export function ownKeyError(key: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `The loader of key ${showKey(key)} asked the cache for this same key, which only it can ` +
      'supply. Load the value in the loader itself, or ask for another key.',
  );
}

/** A caller's own bound was over. */
export function waitTimeoutError(key: string, waitTimeoutMs: number): LoadTimeoutError {
  return new LoadTimeoutError(
    `The load of key ${showKey(key)} did not end within waitTimeout (${waitTimeoutMs} ms).`,
  );
}

/** A load's bound was over. */
export function hardTimeoutError(key: string, hardTimeoutMs: number): LoadTimeoutError {
  return new LoadTimeoutError(
    `The load of key ${showKey(key)} did not end within hardTimeout (${hardTimeoutMs} ms).`,
  );
}

/** Nobody's load of a key settled. */
export function joinTimeoutError(
  key: string,
  joinTimeoutMs: number,
  replacements: number,
): LoadTimeoutError {
  return new LoadTimeoutError(
    `No load of key ${showKey(key)} settled: each was waited for joinTimeout ` +
      `(${joinTimeoutMs} ms) and ${replacements} were tried in place of the first. Its loader ` +
      'hangs, or waits for its own key.',
  );
}

/** A key was asked for within its own loader over and over. */
export function circleError(key: string): LoadTimeoutError {
  return new LoadTimeoutError(
    `The load of key ${showKey(key)} is waited for within itself: its loader asks for this key, or ` +
      'for others whose loaders do. Load the value in the loader itself, or ask for another key.',
  );
}
