import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../lib/config/read-settings.js';
import { SETTINGS, type SettingKind } from '../../lib/config/settings.js';
import { InvalidOptionsError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';

const SAMPLE: Record<SettingKind, string> = {
  duration: 'ASYNC_CACHE_TTL',
  count: 'CACHE_HIERARCHY_L1_MAX_SIZE',
  boolean: 'CACHE_HIERARCHY_ENABLED',
};

/** Returns what one variable says, or the message of its problem. */
function read(kind: SettingKind, text: string): unknown {
  const { values, problems } = readSettings({ [SAMPLE[kind]]: text });
  const [value] = values.values();
  return problems[0]?.message ?? value;
}

describe(readSettings.name, () => {
  it.each<[SettingKind, string, unknown]>([
    ['duration', '60', 60_000],
    ['duration', '0.5', 500],
    ['duration', ' 60 ', 60_000],
    ['duration', '250ms', 250],
    ['duration', '5m', 300_000],
    ['duration', '1h', 3_600_000],
    ['duration', '1 h', 3_600_000],
    ['duration', '1d', 86_400_000],
    ['duration', 'Infinity', Infinity],
    ['count', '1', 1],
    ['count', '50000', 50_000],
    ['count', 'Infinity', Infinity],
    ['boolean', 'true', true],
    ['boolean', '1', true],
    ['boolean', 'false', false],
    ['boolean', '0', false],
  ])('reads the %s %j as %s', (kind, text, value) => {
    expect(read(kind, text)).toBe(value);
  });

  it.each<[SettingKind, string]>([
    ...['0', '-1', 'abc', 'NaN', '1e3', '5x', '-Infinity', '0s', '1,5'].map(
      (text): [SettingKind, string] => ['duration', text],
    ),
    ...['0', '-1', '1.5', 'abc', '5k', '1e3', '0x10'].map((text): [SettingKind, string] => [
      'count',
      text,
    ]),
    ...['yes', 'no', 'on', 'TRUE', '2', 'null'].map((text): [SettingKind, string] => [
      'boolean',
      text,
    ]),
  ])('refuses the %s %j and says what to write', (kind, text) => {
    expect(read(kind, text)).toMatch(/^must be (a|true).*, got /);
  });

  it.each(['', ' ', '\t'])('takes a variable of %j as unset', (text) => {
    const blank = Object.fromEntries(SETTINGS.map(({ name }) => [name, text]));

    expect(readSettings(blank)).toEqual({ values: new Map(), sources: new Map(), problems: [] });
  });

  it.each(SETTINGS.map(({ name, feeds, kind }) => [name, feeds, kind] as const))(
    'feeds %s to %s',
    (name, feeds, kind) => {
      const text = kind === 'boolean' ? 'false' : '7';
      const value = { boolean: false, count: 7, duration: 7_000 }[kind];

      const { values } = readSettings({ [name]: text });

      expect([...values]).toEqual(feeds.map((target) => [target, value]));
    },
  );

  it('lets CACHE_HIERARCHY_NUM_SHARDS win over ASYNC_CACHE_NUM_SHARDS', () => {
    const { values, sources } = readSettings({
      CACHE_HIERARCHY_NUM_SHARDS: '4',
      ASYNC_CACHE_NUM_SHARDS: '2',
    });

    expect(values.get('l1.numShards')).toBe(4);
    expect(sources.get('l2.numShards')).toBe('CACHE_HIERARCHY_NUM_SHARDS');
  });

  it.each(SETTINGS.map(({ name, feeds, kind }) => [name, feeds, kind] as const))(
    'leaves a bad %s as it was written, which the cache refuses',
    (name, feeds) => {
      const { values } = readSettings({ [name]: 'bad' });

      for (const target of feeds) {
        const [option, field] = target.split('.') as [string, string?];
        const value = values.get(target);
        const options = { [option]: field === undefined ? value : { [field]: value } };
        expect(() => new CacheHierarchy(options)).toThrow(InvalidOptionsError);
      }
    },
  );
});
