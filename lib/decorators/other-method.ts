import type { OtherMethod } from '../binding/cacheable-methods.js';
import type { OptionReader } from '../options.js';

/** How a decorator names the call of another method. */
export interface OtherMethodOptions {
  /** The `@Cacheable` method of this class whose derived key is meant. */
  readonly method?: string | symbol;
  /**
   * Makes the arguments of that call from those of this one.
   * @default the same arguments
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- what a method takes is its own affair
  readonly args?: (...args: any[]) => readonly unknown[];
}

/** Reads which call of another method is meant. */
export function readOtherMethod(read: OptionReader): OtherMethod | undefined {
  const method = read.raw('method');
  const argsOf = read.callback<OtherMethod['argsOf']>('args', undefined);
  if (method === undefined) {
    if (argsOf !== undefined) read.reject('args', 'is for the call of a method: name that, too');
    return undefined;
  }
  if (typeof method !== 'string' && typeof method !== 'symbol')
    read.reject('method', 'must be the name of a @Cacheable method of this class');
  return { method: method as string | symbol, argsOf };
}
