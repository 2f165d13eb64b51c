import { InvalidArgumentError, show } from '../errors.js';

/** @throws {InvalidArgumentError} for `undefined`, which means absent */
export function assertValue(value: unknown): void {
  if (value === undefined) {
    throw new InvalidArgumentError(
      'A cached value must not be undefined, which means absent: store null, or delete the key.',
    );
  }
}

/** @throws {InvalidArgumentError} for what can not be called */
export function assertLoader(loader: unknown): void {
  if (typeof loader === 'function') return;
  throw new InvalidArgumentError(`A loader must be a function, got ${show(loader)}.`);
}
