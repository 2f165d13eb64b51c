/** Whether Redis itself has refused a command: it begins with a code in capitals then, what clients say does not. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z][A-Z\d]+ /.test(error.message);
}

/** What stands for the answer of a server that has no memory left for more. */
export const FULL = 'full';

/** @throws the error, if it says anything else than that the server is full */
export function unlessFull(error: unknown): typeof FULL {
  if (isRefusal(error) && error.message.startsWith('OOM ')) return FULL;
  throw error;
}

/** Whether a server takes no changes, since it is a replica. Redis 6 says of which script first. */
export function isFromReplica(error: unknown): boolean {
  return error instanceof Error && /(?:^|: -)READONLY /.test(error.message);
}
