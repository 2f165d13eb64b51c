import { describe, expect, it } from '@jest/globals';
import { allowsStoring, directivesOf, freshnessOf, varyOf } from '../../lib/http/cache-control.js';
import { entityTagOf, namesTag } from '../../lib/http/entity-tag.js';

describe('Cache-Control', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['max-age=60', { 'max-age': '60' }],
    ['Public,MAX-AGE = "60" ,', { public: '', 'max-age': '60' }],
    ['private="a, b", no-cache', { private: 'a, b', 'no-cache': '' }],
    [['no-store', 'max-age=1'], { 'no-store': '', 'max-age': '1' }],
    ['max-age=1, max-age=2', { 'max-age': '1' }],
  ])('%j is read as %j', (field, directives) => {
    expect(Object.fromEntries(directivesOf(field))).toEqual(directives);
  });

  it.each([
    ['s-maxage=1, max-age=2', undefined, 1_000],
    ['max-age=2', undefined, 2_000],
    ['max-age=2', new Date(9_000).toUTCString(), 2_000],
    ['max-age', undefined, 0],
    ['max-age=-1', undefined, 0],
    ['max-age=1.5', undefined, 0],
    ['public', new Date(9_000).toUTCString(), 4_000],
    [undefined, new Date(1_000).toUTCString(), 0],
    [undefined, 'tomorrow', 0],
    ['public', undefined, undefined],
  ])('%j with Expires %j is fresh for %j ms', (cacheControl, expires, freshMs) => {
    const headers = {
      ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
      ...(expires !== undefined && { expires }),
    };

    expect(freshnessOf(headers, 5_000)).toBe(freshMs);
  });

  it('allows private responses for one user alone', () => {
    const headers = { 'cache-control': 'private' };

    expect([allowsStoring(200, headers, true), allowsStoring(200, headers, false)]).toEqual([
      true,
      false,
    ]);
  });
});

describe('Vary', () => {
  it.each([
    [undefined, []],
    ['Accept-Encoding', []],
    ['Accept-Language, accept-encoding,,X-Unit', ['accept-language', 'x-unit']],
    [
      ['A', 'B, C'],
      ['a', 'b', 'c'],
    ],
  ])('%j names %j', (vary, names) => {
    expect(varyOf(vary)).toEqual(names);
  });
});

describe('entity tags', () => {
  it('are weak, and equal for equal texts', () => {
    expect(entityTagOf('a')).toBe(entityTagOf('a'));
    expect(entityTagOf('a')).not.toBe(entityTagOf('b'));
    expect(entityTagOf('a')).toMatch(/^W\/"[\w-]{27}"$/);
  });

  it.each([
    ['W/"a"', 'W/"a"', true],
    ['"a"', 'W/"a"', true],
    ['"b", W/"a"', '"a"', true],
    ['*', '"a"', true],
    ['"b"', '"a"', false],
    ['a', '"a"', false],
    [undefined, '"a"', false],
  ])('If-None-Match: %s names %s: %s', (field, tag, named) => {
    expect(namesTag(field, tag)).toBe(named);
  });
});
