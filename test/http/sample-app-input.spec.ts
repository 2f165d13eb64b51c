import { BadRequestException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Input } from '../../sample-app/src/requests/input.js';

/** Returns what a client is told is wrong. */
function problemsOf(read: () => void): unknown {
  try {
    read();
  } catch (error) {
    if (error instanceof BadRequestException) {
      return (error.getResponse() as { message: unknown }).message;
    }
    throw error;
  }
  return [];
}

function problemsWith(input: Input, read: (input: Input) => void): unknown {
  return problemsOf(() => {
    read(input);
    input.finish();
  });
}

describe(Input.name, () => {
  it('reads numbers that a URL writes as text', () => {
    const input = Input.ofUrl({ lat: '-33.87', lon: '+151', limit: '7' });

    expect(input.number('lat', { min: -90, max: 90 })).toBe(-33.87);
    expect(input.number('lon', { min: -180, max: 180 })).toBe(151);
    expect(input.number('limit', { min: 1, max: 100, whole: true }, 10)).toBe(7);
    expect(() => input.finish()).not.toThrow();
  });

  it('gives the fallback for what is absent', () => {
    expect(Input.ofUrl({}).number('limit', { min: 1, max: 100 }, 10)).toBe(10);
  });

  it.each(['', ' ', 'abc', '1e1', '0x1', 'NaN', 'Infinity', '90.001', '1,5', '--1', ['1', '2']])(
    'refuses the latitude %j',
    (lat) => {
      const problems = problemsWith(Input.ofUrl({ lat }), (input) => {
        input.number('lat', { min: -90, max: 90 });
      });

      expect(problems).toEqual([`lat must be a number from -90 to 90; got ${JSON.stringify(lat)}`]);
    },
  );

  it.each(['1', null, 1.5, -1, NaN, true])('refuses the population %j in a body', (population) => {
    const problems = problemsWith(Input.ofBody({ population }), (input) => {
      input.number('population', { min: 0, max: 10, whole: true });
    });

    expect(problems).toEqual([expect.stringContaining('must be a whole number from 0 to 10')]);
  });

  it('trims a text', () => {
    expect(Input.ofUrl({ q: '  São Paulo ' }).text('q', 100)).toBe('São Paulo');
  });

  it.each(['', '   ', 'a\0b', 'a\ud800b', 'x'.repeat(101), 5, null, ['a']])(
    'refuses the text %j',
    (q) => {
      const problems = problemsWith(Input.ofBody({ q }), (input) => {
        input.text('q', 100);
      });

      expect(problems).toEqual([
        expect.stringContaining('q must be a text of 1 to 100 printable characters; got'),
      ]);
    },
  );

  it('names every problem at once, unknown names included, and shortens what it shows', () => {
    const problems = problemsWith(Input.ofUrl({ q: 'x'.repeat(500), limt: '5' }), (input) => {
      input.text('q', 100);
      input.country('country');
    });

    expect(problems).toEqual([
      `q must be a text of 1 to 100 printable characters; got "${'x'.repeat(39)}…`,
      'country must be the two letters of a country, such as DE; it is missing',
      'limt is unknown; known are q, country',
    ]);
  });

  it.each([undefined, null, 'text', 5, []])('refuses the body %j', (body) => {
    expect(problemsOf(() => Input.ofBody(body))).toEqual([
      'the body must be a JSON object, sent with Content-Type: application/json',
    ]);
  });
});
