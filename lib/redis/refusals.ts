import { NotSentError } from './redis-connection.js';

/** Whether what has failed so is over: Redis has refused it, or never gets it. */
export function isSettled(error: unknown): boolean {
  return isRefusal(error) || error instanceof NotSentError;
}

/** Whether Redis itself has refused a command: it begins with a code in capitals then, what clients say does not. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z][A-Z\d]+ /.test(error.message);
}

/* Of what a script has called Redis 6 says first which script it is, later versions say the code alone. */

/** What stands for the answer of a server that has no memory left for more. */
export const FULL = 'full';

/** @throws the error, if it says anything else than that the server is full */
export function unlessFull(error: unknown): typeof FULL {
  if (error instanceof Error && /(?:^|: -)OOM /.test(error.message)) return FULL;
  throw error;
}

/** Whether a server takes no changes, since it is a replica. */
export function isFromReplica(error: unknown): boolean {
  return error instanceof Error && /(?:^|: -)READONLY /.test(error.message);
}
