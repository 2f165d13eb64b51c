import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { canonicalText } from '../../lib/binding/canonical-text.js';
import { Cacheable, CacheConfig, CacheEvict, CachePut, Caching } from 'nestjs-cache-hierarchy';
import { SETTINGS } from '../../lib/config/settings.js';
import { tryParseDuration } from '../../lib/durations.js';
import type { CacheError, InvalidOptionsError } from '../../lib/errors.js';
import * as errors from '../../lib/errors.js';
import { CACHE_CHANNELS, MISS_REASONS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { resolveHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { ADVICE_RULES } from '../../lib/hierarchy/options-advisor.js';
import type { ResolvedLevelOptions } from '../../lib/memory/cache-options.js';
import { read, tableUnder } from './documents.js';

const readme = read('README.md');

/** The option names that the code knows, from what it says about an unknown one. */
function knownOptions(options: object): string[] {
  return namedIn(() => resolveHierarchyOptions(options));
}

/** The option names that an error about an unknown one has. */
function namedIn(refused: () => unknown): string[] {
  const said = 'is unknown; known are ';
  try {
    refused();
  } catch (error) {
    const { problems } = error as InvalidOptionsError;
    const { message } = problems.find((problem) => problem.message.startsWith(said))!;
    return message.replace(said, '').split(', ');
  }
  return [];
}

/** A default as the tables write it: `'60s'`, `5000`, `true`, `Infinity`, or nothing. */
function valueOf(cell: string): unknown {
  if (cell === '') return undefined;
  if (cell.startsWith("'")) return tryParseDuration(cell.slice(1, -1)) ?? cell.slice(1, -1);
  if (cell === 'true' || cell === 'false') return cell === 'true';
  return Number(cell);
}

function levelDefaults({
  ttlMs,
  maxEntries,
  maxBytes,
  sweepEveryMs,
  ring,
  maxWorkers,
}: ResolvedLevelOptions): Record<string, unknown> {
  const { numShards, virtualNodes } = ring;
  const cleanupInterval = sweepEveryMs;
  return { ttl: ttlMs, maxEntries, maxBytes, cleanupInterval, numShards, virtualNodes, maxWorkers };
}

describe('the tables of the README', () => {
  const defaults = resolveHierarchyOptions({});

  it('list every option of the cache, with its default', () => {
    const rows = tableUnder(readme, 'Options of the cache');
    const listed = rows.flatMap(([names]) => names!.split(', '));
    const withDefault = rows.filter(([, value]) => value !== '');

    expect(listed.toSorted()).toEqual(knownOptions({ unknown: 1 }));
    expect(Object.fromEntries(withDefault.map(([name, value]) => [name, valueOf(value!)]))).toEqual(
      {
        enabled: defaults.enabled,
        ttl: defaults.policy.ttlMs,
        grace: defaults.policy.graceMs > 0,
        softTimeout: defaults.policy.softTimeoutMs < Infinity,
        hardTimeout: defaults.policy.hardTimeoutMs < Infinity,
        throttle: defaults.policy.throttleMs > 0,
        eager: defaults.policy.eager !== undefined,
        jitter: defaults.policy.jitter,
        negativeTtl: defaults.policy.negativeTtlMs !== undefined,
        isolation: defaults.isolation,
        slide: defaults.slide,
        joinTimeout: defaults.joinTimeoutMs,
        waitTimeout: defaults.waitTimeoutMs ?? Infinity,
        lockTimeout: defaults.lockTimeoutMs,
        levelTimeout: defaults.levelTimeoutMs,
        maxConcurrentLoads: defaults.maxConcurrentLoads,
        maxStamps: defaults.maxStamps,
        maxWorkers: defaults.maxWorkers,
      },
    );
  });

  it('list every option of a level, with its defaults', () => {
    const rows = tableUnder(readme, 'Options of a level');
    const listed = rows.flatMap(([names]) => names!.split(', '));
    const column = (index: number): unknown =>
      Object.fromEntries(
        rows.filter((row) => row[index] !== '').map((row) => [row[0], valueOf(row[index]!)]),
      );

    expect(listed.toSorted()).toEqual(knownOptions({ l1: { unknown: 1 } }));
    expect(column(1)).toEqual(levelDefaults(defaults.l1));
    expect(column(2)).toEqual(levelDefaults(defaults.l2!));
  });

  it('list every setting, with what it feeds', () => {
    expect(tableUnder(readme, 'Settings')).toEqual(
      SETTINGS.map(({ name, feeds, meaning }) => [name, feeds.join(', '), meaning]),
    );
  });

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
  it.each<[string, (options: object) => unknown]>([
    ['Cacheable', Cacheable],
    ['CachePut', CachePut],
    ['CacheEvict', CacheEvict],
    ['Caching', Caching],
    ['CacheConfig', CacheConfig],
  ])('list every option of %s', (name, decorator) => {
    class PlacesService {}
    const apply = decorator({ unknown: 1 }) as (...decorated: unknown[]) => void;
    const target = decorator === CacheConfig ? PlacesService : PlacesService.prototype;
    const decorate = (): void => apply(target, 'find', { value: async () => 1 });

    const listed = tableUnder(read('docs/decorators.md'), `Options of ${name}`).map(
      ([option]) => option!,
    );

    expect(listed.toSorted()).toEqual(namedIn(decorate));
  });
});
