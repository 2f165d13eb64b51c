import type { Method } from './cached-method.js';

/** A decorated method, and the one that it stands in for: that itself, or one with a decorator further below. */
interface Decorated {
  readonly method: Method;
  readonly original: Method;
}

/** What the call of a decorated method returned that failed afterwards, by the error that it failed with. */
const returned = new WeakMap<object, { readonly by: Method; readonly result: unknown }>();

/**
 * Calls the original, then what a decorator does with its result. That is done as well where a decorator
 * below has failed after the method ran: what the method changed is changed.
 *
 * @throws what the method throws, else the first error of what comes after
 */
export async function callThen(
  { method, original }: Decorated,
  host: unknown,
  args: unknown[],
  after: (result: unknown) => Promise<void>,
): Promise<unknown> {
  let result: unknown;
  try {
    result = await original.apply(host, args);
  } catch (error) {
    const ran = returned.get(error as object);
    if (ran?.by !== original) throw error;
    await after(ran.result).catch(() => {});
    throw note(error, method, ran.result);
  }
  try {
    await after(result);
  } catch (error) {
    throw note(error, method, result);
  }
  return result;
}

function note(error: unknown, by: Method, result: unknown): unknown {
  if (typeof error === 'object' && error !== null) returned.set(error, { by, result });
  return error;
}
