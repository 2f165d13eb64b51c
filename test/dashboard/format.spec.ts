import { describe, expect, it } from '@jest/globals';
import * as format from '../../lib/dashboard/page/format.js';

const NBSP = '\u00a0';

describe('numbers of the page', () => {
  it.each([
    [0, '0%'],
    [0.0004, '<0.1%'],
    [0.931, '93.1%'],
    [0.99996, '99.99%'],
    [1, '100%'],
    [undefined, '–'],
  ])('show the ratio %p as %s, and never all where it is not all', (ratio, text) => {
    expect(format.formatPercent(ratio)).toBe(text);
  });

  it.each([
    [0, `0 ms`],
    [0.0352, `0.0352 ms`],
    [12.34, `12.3 ms`],
    [999.6, `1 s`],
    [1_234, `1.23 s`],
    [59_970, `1 min`],
    [192_000, `3 min 12 s`],
    [3_600_000, `1 h`],
    [18_180_000, `5 h 3 min`],
    [1_051_200_000, `12 d 4 h`],
    [-500, `−500 ms`],
  ])('show %p ms as %s', (ms, text) => {
    expect(format.formatMs(ms).replaceAll(NBSP, ' ')).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1_023, '1,020 B'],
    [1_024, '1 KiB'],
    [31_457_280, '30 MiB'],
    [5e15, '4,550 TiB'],
  ])('show %p bytes as %s', (bytes, text) => {
    expect(format.formatBytes(bytes).replaceAll(NBSP, ' ')).toBe(text);
  });

  it('show what happens in a second with a decimal only where it is little', () => {
    expect([0.04, 0.44, 9, 1_234.4].map(format.formatRate)).toEqual(['0', '0.4', '9', '1,234']);
  });

  it('show large numbers short where there is little room', () => {
    expect([7, 999, 20_480, 3_000_000].map(format.formatCompact)).toEqual([
      '7',
      '999',
      '20.5K',
      '3M',
    ]);
  });

  it('count with the noun they count', () => {
    expect(format.plural(1, 'key')).toBe('1 key');
    expect(format.plural(2_000, 'copy', 'copies')).toBe('2,000 copies');
  });
});

describe(format.formatAgo.name, () => {
  const now = 1_000_000_000_000;

  it.each([
    [-3_000, 'just now'],
    [4_000, 'just now'],
    [20_000, '20 seconds ago'],
    [119_000, '1 minute ago'],
    [3_600_000, '1 hour ago'],
    [200_000_000, '2 days ago'],
  ])('tells of %p ms ago: %s', (ms, text) => {
    expect(format.formatAgo(now - ms, now)).toBe(text);
  });
});

describe(format.cutText.name, () => {
  it('keeps a short text', () => {
    expect(format.cutText('user:1')).toBe('user:1');
  });

  it('cuts a long one in its middle', () => {
    const cut = format.cutText(`${'a'.repeat(1_000)}z`, 30);

    expect(cut).toBe(`${'a'.repeat(19)}…${'a'.repeat(9)}z`);
  });

  it('cuts no character in two', () => {
    expect(format.cutText('😀'.repeat(200), 30).isWellFormed()).toBe(true);
  });
});
