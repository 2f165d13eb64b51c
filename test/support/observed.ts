/** What has become of a promise so far. */
export interface Observed<T> {
  state: 'pending' | 'resolved' | 'rejected';
  value: T | undefined;
  error: unknown;
}

/** Watches a promise without waiting for it; its rejection counts as handled. */
export function observe<T>(promise: Promise<T>): Observed<T> {
  const observed: Observed<T> = { state: 'pending', value: undefined, error: undefined };
  promise.then(
    (value) => Object.assign(observed, { state: 'resolved', value }),
    (error: unknown) => Object.assign(observed, { state: 'rejected', error }),
  );
  return observed;
}

/** Returns what a promise is rejected with; it is an error if it is not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const value = await promise.catch((error: unknown) => ({ error }));
  if (value !== null && typeof value === 'object' && 'error' in value) return value.error;
  throw new Error('The promise was expected to be rejected and was not.');
}
