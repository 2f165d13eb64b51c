import { types } from 'node:util';
import { isObservable } from 'rxjs';
import { InvalidArgumentError } from '../errors.js';
import { nameOfMethod, type DecoratedMethod } from './cacheable-methods.js';

/**
 * Says what is wrong with a result that is no promise: a method that returns at once has a caller who does
 * not wait, and must not get a promise unasked.
 *
 * @param decorator as it is written, with the `@`
 */
export function problemOfResult(
  result: unknown,
  decorator: string,
  { name, declaredBy }: DecoratedMethod,
): InvalidArgumentError | undefined {
  if (isPromiseLike(result)) return undefined;
  const subject = `${declaredBy.name}.${nameOfMethod(name)} is ${decorator}`;
  if (!isObservable(result))
    return new InvalidArgumentError(
      `${subject} and did not return a promise. Make the method async, and await it where it is called.`,
    );
  return new InvalidArgumentError(
    decorator === '@Cacheable'
      ? `${subject} and returned an Observable that nothing announced. Write Observable as its return ` +
          'type, import it without "type", and compile with emitDecoratorMetadata.'
      : `${subject} and returned an Observable. Return a promise, such as that of lastValueFrom.`,
  );
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if (types.isPromise(value)) return true;
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
