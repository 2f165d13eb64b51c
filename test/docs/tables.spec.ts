import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  resolveCacheManagerOptions,
  type CacheManagerOptions,
} from '../../lib/adapters/cache-manager-options.js';
import { canonicalText } from '../../lib/binding/canonical-text.js';
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  CacheResponse,
  Caching,
} from 'nestjs-cache-hierarchy';
import type { CacheError } from '../../lib/errors.js';
import * as errors from '../../lib/errors.js';
import { CACHE_CHANNELS, MISS_REASONS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { ADVICE_RULES } from '../../lib/hierarchy/options-advisor.js';
import { read, tableUnder } from './documents.js';
import { namedIn } from './options.js';

const readme = read('README.md');

describe('the tables of the README', () => {
  it('list every error, with its code', () => {
    const thrown: CacheError[] = [
      new errors.InvalidOptionsError('subject', []),
      new errors.InvalidArgumentError('message'),
      new errors.LoadTimeoutError('message'),
      new errors.LockTimeoutError('message'),
      new errors.CacheLevelError('message'),
    ];
    const classes = Object.keys(errors).filter((name) => name.endsWith('Error'));

    expect(
      thrown
        .map(({ name }) => name)
        .concat('CacheError')
        .toSorted(),
    ).toEqual(classes.toSorted());
    expect(tableUnder(readme, 'Errors').map((row) => row.slice(0, 2))).toEqual(
      thrown.map(({ name, code }) => [name, code]),
    );
  });

  it('list every method of the cache', () => {
    const listed = tableUnder(readme, 'The cache itself').flatMap(([names]) =>
      names!.replaceAll(/\(.*?\)/g, '').split(' '),
    );
    const methods = [CacheHierarchy.prototype, Object.getPrototypeOf(CacheHierarchy.prototype)]
      .flatMap((prototype: object) => Object.getOwnPropertyNames(prototype))
      .filter((name) => name !== 'constructor');

    expect(listed.toSorted()).toEqual([...new Set(methods)].toSorted());
  });
});

describe('the entries in the README', () => {
  it('are those of the package', () => {
    const { name, exports } = JSON.parse(read('package.json')) as {
      name: string;
      exports: Record<string, unknown>;
    };
    const entries = Object.keys(exports).filter((path) => !path.endsWith('.json'));

    const listed = tableUnder(readme, 'More').map(([entry]) => entry!);

    expect(listed.toSorted()).toEqual(entries.map((path) => path.replace('.', name)).toSorted());
  });
});

describe('the table of the page about advice', () => {
  it('lists every rule, with its code', () => {
    expect(tableUnder(read('docs/advice.md'), 'What is advised against')).toEqual(
      ADVICE_RULES.map(({ code, when }) => [code, when]),
    );
  });
});

describe('the tables of the events', () => {
  const events = read('docs/events.md');

  it('list every channel', () => {
    const listed = tableUnder(events, 'Channels').map(([name, channel]) => [
      name,
      `nestjs-cache-hierarchy:${channel}`,
    ]);

    expect(Object.fromEntries(listed)).toEqual(CACHE_CHANNELS);
  });

  it('list every reason of a miss', () => {
    const listed = tableUnder(events, 'Why a read missed').map(([reason]) => reason);

    expect(listed).toEqual([...MISS_REASONS]);
  });
});

describe('the table of the page about keys', () => {
  const rows = tableUnder(read('docs/keys.md'), 'What arguments look like in a key');

  it('lists arguments', () => {
    expect(rows.length).toBeGreaterThan(10);
  });

  it.each(rows)('is right about %s', (argument, text) => {
    const args = runInNewContext(`[(${argument})]`, { Buffer }) as unknown[];

    expect(canonicalText(args)).toBe(text);
  });
});

describe('the tables of the decorators', () => {
  it.each<[string, (options: object) => unknown, string, string]>([
    ['Cacheable', Cacheable, 'docs/decorators.md', 'Options of Cacheable'],
    ['CachePut', CachePut, 'docs/decorators.md', 'Options of CachePut'],
    ['CacheEvict', CacheEvict, 'docs/decorators.md', 'Options of CacheEvict'],
    ['Caching', Caching, 'docs/decorators.md', 'Options of Caching'],
    ['CacheConfig', CacheConfig, 'docs/decorators.md', 'Options of CacheConfig'],
    ['CacheResponse', CacheResponse, 'docs/responses.md', 'Options'],
  ])('list every option of %s', (_, decorator, page, heading) => {
    class PlacesService {}
    const apply = decorator({ unknown: 1 }) as (...decorated: unknown[]) => void;
    const target = decorator === CacheConfig ? PlacesService : PlacesService.prototype;
    const decorate = (): void => apply(target, 'find', { value: async () => 1 });

    const listed = tableUnder(read(page), heading).map(([option]) => option!);

    expect(listed.toSorted()).toEqual(namedIn(decorate));
  });
});

describe('the table of the page about migration', () => {
  it('lists every option of CacheManagerModule', () => {
    const heading = 'Options of CacheManagerModule';
    const listed = tableUnder(read('docs/migration.md'), heading).map(([option]) => option!);

    expect(listed.toSorted()).toEqual(
      namedIn(() => resolveCacheManagerOptions({ unknown: 1 } as CacheManagerOptions)),
    );
  });
});
