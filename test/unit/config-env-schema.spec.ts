import { describe, expect, it } from '@jest/globals';
import type { ConfigModuleOptions } from '@nestjs/config';
import { cacheHierarchyEnvSchema, validateCacheHierarchyEnv } from 'nestjs-cache-hierarchy';
import { SETTINGS } from '../../lib/config/settings.js';

const schema: NonNullable<ConfigModuleOptions['validationSchema']> = cacheHierarchyEnvSchema;

describe('cacheHierarchyEnvSchema', () => {
  const { validate, version, vendor } = schema['~standard'];

  it('is a Standard Schema', () => {
    expect([version, vendor]).toEqual([1, 'nestjs-cache-hierarchy']);
  });

  it.each([{}, { PATH: '/bin', ASYNC_CACHE_TTL: ' ' }, { ASYNC_CACHE_TTL: '5m' }])(
    'lets %j through as it is',
    (variables) => {
      expect(validate(variables)).toEqual({ value: variables });
      expect(validateCacheHierarchyEnv(variables)).toBe(variables);
    },
  );

  it('takes what another schema has made numbers and booleans of, and passes over what has no text', () => {
    const made = {
      ASYNC_CACHE_TTL: 60,
      CACHE_HIERARCHY_ENABLED: false,
      CACHE_HIERARCHY_L2_TTL: undefined,
      CACHE_HIERARCHY_L1_MAX_SIZE: null,
      CACHE_HIERARCHY_L2_MAX_SIZE: {},
    };

    expect(validate(made)).toEqual({ value: made });
    expect(validate({ ASYNC_CACHE_TTL: -60 })).toMatchObject({ issues: [{}] });
  });

  it.each(SETTINGS)('has an issue about $name, with its path', ({ name }) => {
    expect(validate({ [name]: 'no such thing' })).toEqual({
      issues: [{ message: expect.stringMatching(/^must be .*got "no such thing"$/), path: [name] }],
    });
  });

  it('has an issue for each of several', () => {
    const bad = { ASYNC_CACHE_TTL: '0', CACHE_HIERARCHY_NUM_SHARDS: '9999', PATH: '' };

    expect(validate(bad)).toMatchObject({
      issues: [{ path: ['ASYNC_CACHE_TTL'] }, { path: ['CACHE_HIERARCHY_NUM_SHARDS'] }],
    });
  });

  it.each([undefined, null, 5, 'text'])('finds nothing in %p', (nothing) => {
    expect(validate(nothing)).not.toHaveProperty('issues');
  });
});
