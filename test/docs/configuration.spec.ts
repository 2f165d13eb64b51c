import { describe, expect, it } from '@jest/globals';
import { CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import type { ASYNC_OPTIONS_TYPE } from '../../lib/cache-hierarchy.module-definition.js';
import { readSettings } from '../../lib/config/read-settings.js';
import { SETTINGS, type SettingKind } from '../../lib/config/settings.js';
import type { InvalidArgumentError } from '../../lib/errors.js';
import type { LoadOptions } from '../../lib/hierarchy/call-options.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { resolveHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { WarmOptions } from '../../lib/hierarchy/warm-up.js';
import { resolveCacheOptions } from '../../lib/memory/cache-options.js';
import { read, tableUnder } from './documents.js';
import { defaultOf, defaultsOfCache, defaultsOfLevel, namedIn, valueOf } from './options.js';

const page = read('docs/configuration.md');

/** Throws for options that the code refuses. */
type Resolve = (options: object) => unknown;

const ofCache: Resolve = (options) => resolveHierarchyOptions(options);
const ofLevel: Resolve = (l1) => resolveHierarchyOptions({ l1 });
const ofStandAlone: Resolve = (options) => resolveCacheOptions(options);

/** The options of a table that have a default in a column, with it. */
function defaultsIn(rows: readonly string[][], column: number): Record<string, unknown> {
  const written = rows.filter((row) => row[column] !== '');
  return Object.fromEntries(written.map((row) => [row[0], valueOf(row[column]!)]));
}

function isAccepted(resolve: Resolve, option: string, value: unknown): boolean {
  try {
    resolve({ [option]: value });
    return true;
  } catch {
    return false;
  }
}

/** A number of a range: `1024`, `2^24`, `2^53 - 1`, `-2^31`. */
function numberOf(text: string): number {
  const [, sign, base, power = '1', less = '0'] = /^(-?)(\d+)(?:\^(\d+))?(?: - (\d+))?$/.exec(
    text,
  )!;
  return (Number(base) ** Number(power) - Number(less)) * (sign === '-' ? -1 : 1);
}

type Probe = readonly [value: unknown, isLegal: boolean];

/** Values at the ends of a range, and whether they are within. */
function probesOf(range: string): Probe[] {
  const parts = range.split(', ');
  const words = [Infinity, false].map((word): Probe => [word, parts.includes(String(word))]);
  return [...parts.flatMap(probesOfPart), ...words];
}

function probesOfPart(part: string): Probe[] {
  if (/^(?:Infinity|true|false|'.*')$/.test(part)) return [[valueOf(part), true]];
  const [, bound, end] = /^(above|below) (.*)$/.exec(part) ?? [];
  if (end !== undefined) {
    const within = numberOf(end) + (bound === 'above' ? 0.5 : -0.5);
    return [
      [numberOf(end), false],
      [within, true],
    ];
  }
  const [least, most] = part.replace('from ', '').split(' to ').map(numberOf) as [number, number?];
  const from: Probe[] = [
    [least, true],
    [least - 1, false],
  ];
  return most === undefined ? from : [...from, [most, true], [most + 1, false]];
}

describe.each<[string, Resolve, { type: number; range: number }]>([
  ['Options of the cache', ofCache, { type: 1, range: 3 }],
  ['Options of a level', ofLevel, { type: 1, range: 4 }],
  ['Options of a stand-alone cache', ofStandAlone, { type: 1, range: 3 }],
])('the table %s', (heading, resolve, { type, range }) => {
  const rows = tableUnder(page, heading);
  const ranges = rows.flatMap((row) =>
    row[range] === ''
      ? []
      : probesOf(row[range]!).map(([value, isLegal]) => [row[0]!, value, isLegal] as const),
  );

  it.each(ranges)('is right about the range of %s: %s, %s', (option, value, isLegal) => {
    expect(isAccepted(resolve, option, value)).toBe(isLegal);
  });

  it.each(rows.map((row) => [row[0]!, row[type]!]))(
    'is right about the type of %s: %s',
    (option, of) => {
      expect(isAccepted(resolve, option, '5s')).toBe(of === 'Duration');
      expect(isAccepted(resolve, option, '64kb')).toBe(of === 'ByteSize');
    },
  );
});

describe('the tables of the page about configuration', () => {
  it('list every option of the cache, with its default', () => {
    const rows = tableUnder(page, 'Options of the cache');

    expect(rows.map(([option]) => option!).toSorted()).toEqual(
      namedIn(() => resolveHierarchyOptions({ unknown: 1 } as object)),
    );
    expect(defaultsIn(rows, 2)).toEqual(defaultsOfCache());
  });

  it('list every option of a level, with its defaults', () => {
    const rows = tableUnder(page, 'Options of a level');

    expect(rows.map(([option]) => option!).toSorted()).toEqual(
      namedIn(() => ofLevel({ unknown: 1 })),
    );
    expect(defaultsIn(rows, 2)).toEqual(defaultsOfLevel('l1'));
    expect(defaultsIn(rows, 3)).toEqual(defaultsOfLevel('l2'));
  });

  it('list every option that only a stand-alone cache has, with its default', () => {
    const rows = tableUnder(page, 'Options of a stand-alone cache');
    const ofLevels = tableUnder(page, 'Options of a level').map(([option]) => option!);
    const { maxKeyLength, lockTimeoutMs } = resolveCacheOptions({});

    expect([...rows.map(([option]) => option!), ...ofLevels].toSorted()).toEqual(
      namedIn(() => ofStandAlone({ unknown: 1 })),
    );
    expect(defaultsIn(rows, 2)).toEqual({ maxKeyLength, lockTimeout: lockTimeoutMs });
  });

  it('list every option of forRootAsync', () => {
    const known = {
      useFactory: true,
      inject: true,
      useClass: true,
      useExisting: true,
      imports: true,
      provideInjectionTokensFrom: true,
      isGlobal: true,
    } satisfies Record<keyof typeof ASYNC_OPTIONS_TYPE, true>;

    expect(tableUnder(page, 'Options of forRootAsync').map(([option]) => option)).toEqual(
      Object.keys(known),
    );
  });

  it('list every option that only a named cache has', () => {
    const unknown = { name: 'rates', useFactory: () => ({}), unknown: 1 };
    const known = namedIn(() => CacheHierarchyModule.forFeatureAsync([unknown]));

    expect(
      tableUnder(page, 'Options of a named cache')
        .map(([option]) => option!)
        .toSorted(),
    ).toEqual(known);
  });

  it('list every setting, with what it feeds and the default of that', () => {
    const types: Record<SettingKind, string> = {
      duration: 'seconds',
      count: 'count',
      boolean: 'true, false, 1 or 0',
    };
    const rows = tableUnder(page, 'Environment variables');

    expect(rows.map(([name, feeds, type, , meaning]) => [name, feeds, type, meaning])).toEqual(
      SETTINGS.map(({ name, feeds, kind, meaning }) => [
        name,
        feeds.join(', '),
        types[kind],
        meaning,
      ]),
    );
    for (const [name, , , value] of rows) {
      const { values } = readSettings({ [name!]: value });
      for (const [target, parsed] of values)
        expect([target, parsed]).toEqual([target, defaultOf(target)]);
    }
  });
});

describe('the table of the options of a call', () => {
  const rows = tableUnder(page, 'Options of a call');
  const cache = new CacheHierarchy();
  const unknown = { unknown: 1 } as object;
  const loader = (): string => 'value';
  const loaderOfMany = async (): Promise<Map<string, string>> => new Map();

  /** The options of a call, from what it says about an unknown one. */
  async function knownTo(call: Promise<unknown>): Promise<string[]> {
    const { message } = await call.then(
      () => new Error('It was accepted.'),
      (error: InvalidArgumentError) => error,
    );
    return /known are (.*)\.$/.exec(message)![1]!.split(', ');
  }

  it.each<[string, () => Promise<unknown>[]]>([
    [
      'getOrSet',
      () => [
        cache.getOrSet('key', loader, unknown),
        cache.getOrSetMany(['key'], loaderOfMany, unknown),
        cache.warm(['key'], loaderOfMany, unknown),
      ],
    ],
    [
      'set',
      () => [
        cache.set('key', 'value', unknown),
        cache.setMany([['key', 'value']], unknown),
        cache.update('key', loader, unknown),
      ],
    ],
    ['delete', () => [cache.delete('key', unknown), cache.deleteMany(['key'], unknown)]],
    ['expire', () => [cache.expire('key', unknown)]],
    ['invalidateTags', () => [cache.invalidateTags('tag', unknown)]],
  ])('has every option of %s', async (name, calls) => {
    const listed = rows
      .filter(([, , of]) => of!.split(' ').includes(name))
      .map(([option]) => option!);

    for (const call of calls()) expect(await knownTo(call)).toEqual(listed.toSorted());
  });

  it('has every option that only warm has', () => {
    const known = {
      batchSize: true,
      concurrency: true,
      onProgress: true,
    } satisfies Record<Exclude<keyof WarmOptions, keyof LoadOptions>, true>;

    expect(rows.filter(([, , of]) => of === 'warm').map(([option]) => option)).toEqual(
      Object.keys(known),
    );
  });
});

describe('the options in the README', () => {
  const rows = tableUnder(read('README.md'), 'Options');

  it('are there', () => {
    expect(rows.length).toBeGreaterThan(5);
  });

  it.each(rows as [string, string, string][])(
    'have the variable and the default of %s',
    (option, variable, value) => {
      const { feeds } = SETTINGS.find(({ name }) => name === variable) ?? { feeds: [option] };

      expect(feeds).toEqual([option]);
      expect(valueOf(value)).toBe(defaultOf(option));
    },
  );
});
