import type { DecoratedMethod } from './cacheable-methods.js';
import type { Method } from './cached-method.js';
import { problemOfResult } from './promised.js';

/** A decorated method, and the one that it stands in for: that itself, or one with a decorator further below. */
interface Decorated {
  readonly replacement: Method;
  readonly original: Method;
  readonly method: DecoratedMethod;
  /** As it is written, with the `@`. */
  readonly decorator: string;
}

/** What the call of a decorated method returned that failed afterwards, by the error that it failed with. */
const returned = new WeakMap<object, { readonly by: Method; readonly result: unknown }>();

/**
 * Calls the original, then what a decorator does with its result. That is done as well where a decorator
 * below has failed after the method ran, or where that returned no promise: what the method changed is changed.
 *
 * @throws what the method throws, else the first error of what comes after
 * @throws {InvalidArgumentError} where the method returned no promise
 */
export async function callThen(
  { replacement, original, method, decorator }: Decorated,
  host: unknown,
  args: unknown[],
  after: (result: unknown) => Promise<void>,
): Promise<unknown> {
  let problem: Error | undefined;
  let result: unknown;
  try {
    const returning = original.apply(host, args);
    problem = problemOfResult(returning, decorator, method);
    result = await returning;
  } catch (error) {
    const ran = returned.get(error as object);
    if (ran?.by !== original) throw error;
    await after(ran.result).catch(() => {});
    throw note(error, replacement, ran.result);
  }
  try {
    await after(result);
    if (problem !== undefined) throw problem;
  } catch (error) {
    throw note(error, replacement, result);
  }
  return result;
}

function note(error: unknown, by: Method, result: unknown): unknown {
  if (typeof error === 'object' && error !== null) returned.set(error, { by, result });
  return error;
}
