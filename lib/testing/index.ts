export { CacheHierarchyTestingModule, testingOptions } from './cache-hierarchy-testing.module.js';
export type { TestingModuleOptions, TestingOptions } from './cache-hierarchy-testing.module.js';
export { FakeClock } from './fake-clock.js';
export type { FakeClockOptions } from './fake-clock.js';

export { CacheRecord, CacheRecorder, recordCache } from './cache-recorder.js';
export type { RecordedEvent, RecordedKind } from './cache-recorder.js';
export { expectHit, expectLoads, expectMiss } from './expectations.js';

export { ChaosError } from './chaos.js';
export type { ChaosCounts } from './chaos.js';
export { ChaosLevel } from './chaos-level.js';
export type { ChaosOptions, ChaosRates } from './chaos-options.js';
export { MapLevel } from './map-level.js';
export type { MapLevelOptions } from './map-level.js';

export { describeLevel, levelCases } from './describe-level.js';
export type { LevelCase, TestRunner } from './describe-level.js';
export type { LevelSubject } from './level-bench.js';
