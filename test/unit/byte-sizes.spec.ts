import { describe, expect, it } from '@jest/globals';
import { tryParseByteSize } from '../../lib/byte-sizes.js';

describe(tryParseByteSize.name, () => {
  it.each([
    [1, 1],
    [1.9, 1],
    [Infinity, Infinity],
    [2 ** 53 - 1, 2 ** 53 - 1],
    ['512b', 512],
    ['64kb', 65_536],
    ['1.5mb', 1_572_864],
    ['2gb', 2_147_483_648],
    ['64 kb', 65_536],
    ['1e3b', 1_000],
  ])('reads %p as %p bytes', (size, bytes) => {
    expect(tryParseByteSize(size)).toBe(bytes);
  });

  it.each([0, 0.5, -1, NaN, '0kb', '64', '64KB', 'kb', '-1b', '', null, {}, 1n, 2 ** 54])(
    'does not take %p',
    (size) => {
      expect(tryParseByteSize(size)).toBeUndefined();
    },
  );
});
