import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../lib/clock.js';
import type { Ack, CacheLevel, LevelEntry } from '../../lib/levels/cache-level.js';
import { levelCases } from '../../lib/testing/describe-level.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { MapLevel } from '../../lib/testing/map-level.js';

/** The names of the cases that a level fails. */
async function failuresOf(
  create: (clock: FakeClock) => CacheLevel,
  toleranceMs?: number,
): Promise<string[]> {
  const cases = levelCases(() => {
    const clock = new FakeClock();
    return {
      level: create(clock),
      now: () => clock.now(),
      advance: (ms) => clock.advance(ms),
      toleranceMs,
    };
  });
  const failed: string[] = [];
  for (const { name, run } of cases) {
    await run().catch((error: Error) => {
      expect(error).toMatchObject({ code: 'ERR_ASSERTION' });
      failed.push(name);
    });
  }
  return failed;
}

function without(
  fact: 'order' | 'tags',
  entries: ReadonlyMap<string, LevelEntry>,
): Map<string, LevelEntry> {
  return new Map([...entries].map(([key, entry]) => [key, { ...entry, [fact]: undefined }]));
}

class Immortal extends MapLevel {
  constructor() {
    super({ clock: { ...systemClock, now: () => 0 } });
  }
}

class Untagged extends MapLevel {
  override invalidateTags(): Ack {
    return 'applied';
  }
}

class WithoutOrder extends Untagged {
  constructor(clock: FakeClock) {
    super({ clock, inProcess: true });
  }

  override write(entries: ReadonlyMap<string, LevelEntry>) {
    return super.write(without('order', entries));
  }
}

class Folded extends MapLevel {
  override write(entries: ReadonlyMap<string, LevelEntry>) {
    super.write(new Map([...entries].map(([key, entry]) => [key.toLowerCase(), entry])));
    return new Map([...entries.keys()].map((key) => [key, 'stored' as const]));
  }
}

/** Its times come back ten milliseconds later, as through a clock that was not compared well. */
class Ahead extends MapLevel {
  constructor(clock: FakeClock) {
    super({ clock });
  }

  override read(keys: readonly string[]): Map<string, LevelEntry> {
    const shift = (entry: LevelEntry): LevelEntry => ({
      ...entry,
      freshUntil: entry.freshUntil + 10,
      staleUntil: entry.staleUntil + 10,
    });
    return new Map([...super.read(keys)].map(([key, entry]) => [key, shift(entry)]));
  }
}

class Slow extends MapLevel {
  override read(keys: readonly string[]): never {
    return Promise.resolve(super.read(keys)) as never;
  }
}

class Greedy extends MapLevel {
  override delete(): Ack {
    return this.clear();
  }
}

class Unscoped extends MapLevel {
  override scope(): this {
    return this;
  }
}

class Forgetful extends MapLevel {
  override write(entries: ReadonlyMap<string, LevelEntry>) {
    return super.write(without('tags', entries));
  }
}

describe('the cases of the level contract', () => {
  it.each<[string, (clock: FakeClock) => CacheLevel, string[]]>([
    ['keeps it', (clock) => new MapLevel({ clock }), []],
    [
      'leaves tags to the cache, which it tells orders',
      (clock) => new Untagged({ clock, inProcess: true }),
      [],
    ],
    [
      'never ends an entry',
      () => new Immortal(),
      [
        'has an entry until it is expired, and not at its very deadline',
        'has no more than a stale answer of an entry in its grace, and nothing after it',
      ],
    ],
    [
      'ignores tags',
      (clock) => new Untagged({ clock }),
      ['has no entry any more one of whose tags was invalidated'],
    ],
    [
      'is in this process and tells no orders',
      (clock) => new WithoutOrder(clock),
      [
        'keeps what it was told about an entry with tags',
        'has no entry any more one of whose tags was invalidated',
      ],
    ],
    [
      'takes different keys for one',
      (clock) => new Folded({ clock }),
      ['tells keys apart, whatever is in them'],
    ],
    [
      'is in this process and answers with promises',
      (clock) => new Slow({ clock, inProcess: true }),
      ['answers at once where it says that it is in this process'],
    ],
    [
      'deletes more than it is asked to',
      (clock) => new Greedy({ clock }),
      ['deletes keys, and leaves the others'],
    ],
    [
      'has scopes that are none',
      (clock) => new Unscoped({ clock }),
      [
        'keeps what is in a scope apart from itself and from other scopes',
        'clears, deletes and invalidates in a scope what is in that scope',
      ],
    ],
    [
      'forgets tags',
      (clock) => new Forgetful({ clock }),
      [
        'keeps what it was told about an entry with tags',
        'has no entry any more one of whose tags was invalidated',
      ],
    ],
  ])('tell what a level does that %s', async (_, create, failed) => {
    expect(await failuresOf(create)).toEqual(failed);
  });

  it('take times that come back as far off as a level says, and no farther', async () => {
    const create = (clock: FakeClock): CacheLevel => new Ahead(clock);

    expect(await failuresOf(create, 10)).toEqual([]);
    expect(await failuresOf(create, 9)).toEqual([
      'gives the deadline out that it was given',
      'has no more than a stale answer of an entry in its grace, and nothing after it',
      'has no more than a stale answer of what was expired by a call',
    ]);
  });

  it('close the level, also where it fails', async () => {
    let closed = 0;
    class Counted extends MapLevel {
      override async close(): Promise<void> {
        closed += 1;
      }

      override read(): never {
        throw new Error('away');
      }
    }
    const cases = levelCases(() => ({
      level: new Counted(),
      now: () => 0,
      advance: () => Promise.resolve(),
    }));

    await Promise.allSettled(cases.map(({ run }) => run()));

    expect(closed).toBe(cases.length);
  });
});
