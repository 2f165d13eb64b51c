import { availableParallelism } from 'node:os';

/** Jest runs the TypeScript sources as ES modules; @swc/jest strips the types and keeps decorator metadata. */
export default {
  testEnvironment: '<rootDir>/test/support/node-environment.mjs',
  roots: ['<rootDir>/test'],
  testRegex: '\\.(spec|e2e-spec)\\.ts$',
  moduleFileExtensions: ['ts', 'js', 'json'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^nestjs-cache-hierarchy$': '<rootDir>/lib/index.ts',
    '^nestjs-cache-hierarchy/cache-manager$': '<rootDir>/lib/adapters/cache-manager.ts',
    '^nestjs-cache-hierarchy/(opentelemetry|prometheus)$': '<rootDir>/lib/telemetry/$1.ts',
    '^nestjs-cache-hierarchy/(dashboard|health|redis|schedule|testing)$':
      '<rootDir>/lib/$1/index.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
        },
      },
    ],
  },
  // A bound for what hangs, not for what is slow: machines differ in speed by a factor of ten.
  testTimeout: 180_000,
  // Where all specs share one process, the later ones are several times slower (see the sequencer).
  maxWorkers: Math.max(2, availableParallelism() - 1),
  workerIdleMemoryLimit: '700MB',
  testSequencer: '<rootDir>/test/support/searches-first.mjs',
  collectCoverageFrom: ['lib/**/*.ts'],
  coverageProvider: 'v8',
  reporters: ['default', '<rootDir>/.ci/jest-results.mjs'],
};
