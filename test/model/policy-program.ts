import * as fc from 'fast-check';
import type { Said } from './naive-entries.js';
import { KEYS, type PolicyComparison, type Script } from './policy-comparison.js';
import type { Outcome } from './scripted-source.js';

/** One step of a program. */
export interface Step {
  run(both: PolicyComparison): Promise<void> | void;
  toString(): string;
}

/**
 * Steps are taken at multiples of this. What goes on in between ends at times of its own kind, so that no
 * two things happen at once whose order nobody promises: loads 1 after a multiple, soft timeouts
 * 8, hard ones 16 and waits 32.
 */
const SLOT = 64;

const key = fc.constantFrom('a', 'a', 'a', 'a', 'b', 'b', ...KEYS.slice(2));
const tag = fc.constantFrom('red', 'blue');
const hold = fc.constantFrom(undefined, undefined, 12 * SLOT, 30 * SLOT);
const prefix = fc.constantFrom('', '', 'n>');
const names = fc.subarray(['a', 'b']);

const lifetime = fc.constantFrom<Said[]>(
  { ttl: 10 * SLOT },
  { ttl: 10 * SLOT },
  { ttl: 40 * SLOT },
  { ttl: 40 * SLOT },
  {},
  { expiresIn: 20 * SLOT },
  { expiresIn: -SLOT },
);

const storeWords = fc.record({
  grace: rarely(2, 30 * SLOT, 200 * SLOT),
  negativeTtl: rarely(2, 6 * SLOT),
  eager: rarely(2, 0.5),
  jitter: rarely(7, 0.25),
  tags: fc.oneof(fc.constant(undefined), fc.subarray(['red', 'blue'])),
});

const loadWords = fc.record({
  throttle: rarely(2, 25 * SLOT),
  soft: rarely(3, 2 * SLOT + 8, 8 * SLOT + 8),
  hard: rarely(3, 4 * SLOT + 16, 10 * SLOT + 16),
  refuses: rarely(3, true),
  force: rarely(7, true),
  skipRead: rarely(11, 'L1' as const, 'all' as const),
  skipWrite: rarely(13, true),
});

const storing: fc.Arbitrary<Said> = joined(lifetime, storeWords);
const loading: fc.Arbitrary<Said> = joined(storing, loadWords);

function joined(...parts: fc.Arbitrary<Said>[]): fc.Arbitrary<Said> {
  return fc.tuple(...parts).map((said) => Object.assign({}, ...said) as Said);
}

/** Mostly nothing. */
function rarely<V>(weight: number, ...values: V[]): fc.Arbitrary<V | undefined> {
  return fc.oneof(
    { arbitrary: fc.constant(undefined), weight },
    { arbitrary: fc.constantFrom(...values), weight: values.length },
  );
}

const outcome = fc.constantFrom<Outcome[]>(
  'value',
  'value',
  'value',
  'error',
  'error',
  'refused',
  'null',
  'nothing',
  'same',
  'skip',
  'short',
  'zero',
);
const script: fc.Arbitrary<Script> = fc.record({
  ms: fc.constantFrom(0, 0, 3 * SLOT + 1, 6 * SLOT + 1, 20 * SLOT + 1),
  outcome,
  tags: rarely(5, ['red'], ['blue']).map((tags) => tags ?? []),
  wait: rarely(4, 2 * SLOT + 32, 9 * SLOT + 32),
});

function step<A extends unknown[]>(
  what: string,
  words: { [At in keyof A]: fc.Arbitrary<A[At]> },
  run: (both: PolicyComparison, ...values: A) => Promise<void> | void,
): fc.Arbitrary<Step> {
  return fc.tuple(...words).map((values) => ({
    run: (both) => run(both, ...(values as unknown as A)),
    toString: () => `${what}(${values.map((value) => JSON.stringify(value)).join(', ')})`,
  }));
}

const scripts = fc.array(script, { minLength: 1, maxLength: 3, size: 'small' });

/** A step of a random program over everything that the policy is about. */
export const steps: fc.Arbitrary<Step> = fc.oneof(
  weighted(
    12,
    step('getOrSet', [key, scripts, loading], (both, ...call) => both.getOrSet(...call)),
  ),
  weighted(
    2,
    step('getOrSetMany', [prefix, names, script, loading], (both, ...call) =>
      both.getOrSetMany(...call),
    ),
  ),
  weighted(
    2,
    step('get', [key], (both, ...call) => both.get(...call)),
  ),
  weighted(
    1,
    step('getIfPresent', [key], (both, ...call) => both.getIfPresent(...call)),
  ),
  weighted(
    1,
    step('getMany', [prefix, names], (both, ...call) => both.getMany(...call)),
  ),
  weighted(
    3,
    step('set', [key, fc.boolean(), storing], (both, ...call) => both.set(...call)),
  ),
  weighted(
    1,
    step('setMany', [prefix, names, storing], (both, ...call) => both.setMany(...call)),
  ),
  weighted(
    2,
    step('update', [key, script, storing], (both, ...call) => both.update(...call)),
  ),
  weighted(
    1,
    step('delete', [key, hold], (both, ...call) => both.delete(...call)),
  ),
  weighted(
    1,
    step('deleteMany', [prefix, names, hold], (both, ...call) => both.deleteMany(...call)),
  ),
  weighted(
    2,
    step('expire', [key, hold], (both, ...call) => both.expire(...call)),
  ),
  weighted(
    1,
    step('invalidate', [tag, hold], (both, ...call) => both.invalidate(...call)),
  ),
  weighted(
    1,
    step('clear', [fc.constantFrom('', 'n>', 'n>m>')], (both, ...call) => both.clear(...call)),
  ),
  weighted(
    1,
    step('abort', [fc.nat(5)], (both, ...call) => both.abort(...call)),
  ),
  weighted(
    8,
    step(
      'wait',
      [fc.constantFrom(1, 3, 5, 14, 25, 60).map((slots) => slots * SLOT)],
      (both, ...call) => both.wait(...call),
    ),
  ),
  weighted(
    1,
    step('sweep', [], (both) => both.sweep()),
  ),
);

function weighted(
  weight: number,
  arbitrary: fc.Arbitrary<Step>,
): { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> } {
  return { weight, arbitrary };
}
