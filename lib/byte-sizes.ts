import { parseAmount } from './amounts.js';

/**
 * An amount of memory: bytes as a number, or a number with a unit, such as `'512b'`, `'64kb'`,
 * `'100mb'` or `'1gb'`; a kilobyte has 1,024 bytes.
 */
export type ByteSize = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`;

const UNITS: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

/** What an amount of memory may look like, for error messages. */
export const BYTE_SIZE_FORM =
  'a number of bytes from 1 to 2^53, a number with a unit (512b, 64kb, 100mb, 1gb) or Infinity';

/** Returns an amount in whole bytes, or `undefined` for what is not an amount of at least one. */
export function tryParseByteSize(size: unknown): number | undefined {
  const bytes = typeof size === 'number' ? size : parseAmount(size, UNITS);
  if (bytes === undefined || !(bytes >= 1)) return undefined;
  // Beyond that adding up is not exact, and a bound would be none.
  return bytes <= Number.MAX_SAFE_INTEGER || bytes === Infinity ? Math.floor(bytes) : undefined;
}
