import { show } from './errors.js';

/** Something an operator should know. Never carries keys' values or cached values. */
export interface CacheReport {
  /** Stable name of the condition, such as `CACHE_SMALL_SHARDS`. */
  readonly code: string;
  /** What happened and what to do about it. */
  readonly message: string;
  /** The name of the cache it is about; the default cache has none. */
  readonly cache?: string;
  /** The error behind it, if there is one. */
  readonly cause?: unknown;
}

/** Receives reports. The core calls it; the Nest edge logs what it is given. */
export type Report = (report: CacheReport) => void;

/** Keeps a report that throws from breaking what it reports about. */
export function guardReport(report: Report): Report {
  return (what) => {
    try {
      report(what);
    } catch (error) {
      emitProcessWarning({
        ...what,
        message: `${what.message} (The report failed: ${String(error)})`,
      });
    }
  };
}

/** Sends a report to the process's warnings: what a stand-alone cache does by default. */
export const emitProcessWarning: Report = ({ code, message, cause }) => {
  const detail = detailOf(cause);
  process.emitWarning(message, {
    type: 'CacheWarning',
    code,
    ...(detail === undefined ? {} : { detail }),
  });
};

/** What an error says may be anything, and so may fail to be said. */
function detailOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  try {
    return cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause);
  } catch {
    return undefined;
  }
}
