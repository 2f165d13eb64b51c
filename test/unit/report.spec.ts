import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { emitProcessWarning, guardReport, type CacheReport } from '../../lib/report.js';

const REPORT: CacheReport = { code: 'CACHE_TEST', message: 'Something happened.' };

let warn: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});

afterEach(() => {
  warn.mockRestore();
});

describe('emitProcessWarning', () => {
  it('sends the message to the process’s warnings under its code', () => {
    emitProcessWarning(REPORT);

    expect(warn.mock.calls).toEqual([
      ['Something happened.', { type: 'CacheWarning', code: 'CACHE_TEST' }],
    ]);
  });

  it.each([
    [new TypeError('no such thing'), 'TypeError: no such thing'],
    ['broken', '"broken"'],
    [Object.create(null), 'an object of no class'],
  ])('shows the cause %p below it', (cause, detail) => {
    emitProcessWarning({ ...REPORT, cause });

    expect(warn.mock.calls[0]![1]).toMatchObject({ detail });
  });

  it('is sent without a cause that can not be shown', () => {
    const cause = Object.assign(new Error('broken'), { name: Symbol('broken') });
    emitProcessWarning({ ...REPORT, cause });

    expect(warn.mock.calls).toEqual([
      ['Something happened.', { type: 'CacheWarning', code: 'CACHE_TEST' }],
    ]);
  });
});

describe(guardReport.name, () => {
  it('hands reports on as they are', () => {
    const seen: CacheReport[] = [];

    guardReport((report) => seen.push(report))(REPORT);

    expect(seen).toEqual([REPORT]);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([new Error('of the report'), 'of the report', undefined])(
    'sends the report to the process’s warnings when its receiver throws %p',
    (error) => {
      const guarded = guardReport(() => {
        throw error;
      });

      expect(() => guarded(REPORT)).not.toThrow();
      expect(warn).toHaveBeenCalledWith(
        expect.stringMatching(/^Something happened\. /),
        expect.objectContaining({ code: 'CACHE_TEST' }),
      );
    },
  );
});
