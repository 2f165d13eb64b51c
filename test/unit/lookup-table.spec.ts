import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LookupTable, type Lookup } from '../../lib/hierarchy/lookup-table.js';
import type { Found } from '../../lib/hierarchy/lower-levels.js';
import { TicketTable, type Ticket } from '../../lib/memory/tickets.js';
import { defer, type Deferred } from '../support/deferred.js';
import { entryOf } from '../support/scripted-level.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let tickets: TicketTable;
let table: LookupTable;
let heldUntil: number;
let endedTags: Set<string>;
/** What each lookup that began is to find. */
let lookups: Deferred<Found | undefined>[];
let promoted: unknown[];

beforeEach(() => {
  clock = new VirtualClock();
  [heldUntil, endedTags, lookups, promoted] = [-Infinity, new Set(), [], []];
  tickets = new TicketTable({
    now: () => clock.now(),
    order: () => 0,
    admits: ({ tags }) => !tags?.some((tag) => endedTags.has(tag)),
    heldUntil: () => heldUntil,
  });
  table = new LookupTable({
    openPromotion: (key) => tickets.open(key, 'promotion'),
    closeTicket: (ticket) => tickets.close(ticket),
    stands: (ticket) => tickets.stands(ticket),
    isValid: (ticket) => tickets.isValid(ticket),
    isJoinable: (ticket) => tickets.isJoinable(ticket),
  });
});

afterEach(() => {
  expect(tickets.size).toBe(0);
});

function find(options: Partial<Lookup> = {}): ReturnType<LookupTable['find']> {
  return table.find({
    key: 'key',
    variant: undefined,
    find: () => {
      const lookup = defer<Found | undefined>();
      lookups.push(lookup);
      return lookup.promise;
    },
    promote: ({ entry }) => void promoted.push(entry.value),
    ...options,
  });
}

function foundOf(value: unknown, facts: { tags?: string[] } = {}): Found {
  return { entry: entryOf(value, clock, facts), depth: 0, level: 'remote' };
}

describe(LookupTable.name, () => {
  it('looks a key up once for all who ask, and promotes what is found once', async () => {
    const answers = [find(), find(), find()];
    const found = foundOf(1);
    lookups[0]!.resolve(found);

    for (const answer of answers) expect(await answer).toEqual({ found, lost: false });
    expect([lookups.length, promoted]).toEqual([1, [1]]);
  });

  it('promotes nothing where nothing is found', async () => {
    const answer = find();
    lookups[0]!.resolve(undefined);

    expect(await answer).toEqual({ found: undefined, lost: false });
    expect(promoted).toEqual([]);
  });

  it('looks up anew once it has ended', async () => {
    const first = find();
    lookups[0]!.resolve(undefined);
    await first;
    const second = find();
    lookups[1]!.resolve(undefined);
    await second;

    expect(lookups).toHaveLength(2);
  });

  it('shares none between keys, and none between variants', async () => {
    const answers = [
      find(),
      find({ key: 'other' }),
      find({ variant: 'L1/' }),
      find({ variant: '/L1' }),
    ];
    for (const lookup of lookups) lookup.resolve(undefined);
    await Promise.all(answers);

    expect(lookups).toHaveLength(4);
  });

  it.each<[string, () => void]>([
    ['deleted', () => tickets.fence('key')],
    ['stored by a set or a load', () => tickets.fenceLoads('key')],
    ['cleared', () => tickets.fenceAll()],
  ])('loses what it finds of a key that was %s meanwhile, and nobody joins it', async (_, end) => {
    const early = find();
    end();
    const late = find();
    lookups[0]!.resolve(foundOf('old'));
    lookups[1]!.resolve(foundOf('new'));

    expect(await early).toEqual({ found: undefined, lost: true });
    expect(await late).toMatchObject({ found: { entry: { value: 'new' } }, lost: false });
    expect(promoted).toEqual(['new']);
  });

  it('loses what carries a tag that was invalidated meanwhile', async () => {
    const answer = find();
    endedTags.add('tag');
    lookups[0]!.resolve(foundOf(1, { tags: ['tag'] }));

    expect(await answer).toEqual({ found: undefined, lost: true });
  });

  it('gives out and does not promote what it finds during a hold', async () => {
    heldUntil = clock.now() + 1_000;
    const answer = find();
    lookups[0]!.resolve(foundOf(1));

    expect(await answer).toMatchObject({ found: { entry: { value: 1 } }, lost: false });
    expect(promoted).toEqual([]);
  });

  it('gives what began during a hold out after it, and to nobody who asks after it', async () => {
    heldUntil = clock.now() + 1_000;
    const during = [find(), find()];
    await clock.advance(1_000);
    const after = find();
    lookups[0]!.resolve(foundOf('old'));
    lookups[1]!.resolve(foundOf('new'));

    for (const answer of during)
      expect(await answer).toMatchObject({ found: { entry: { value: 'old' } }, lost: false });
    expect(await after).toMatchObject({ found: { entry: { value: 'new' } }, lost: false });
    expect(promoted).toEqual(['new']);
  });

  it('loses what it finds after a hold when it was invalidated once more', async () => {
    heldUntil = clock.now() + 1_000;
    const answer = find();
    await clock.advance(1_000);
    tickets.fence('key');
    lookups[0]!.resolve(foundOf('old'));

    expect(await answer).toEqual({ found: undefined, lost: true });
  });

  it('keeps its ticket until what takes time has been promoted, and keeps nobody waiting', async () => {
    const promotion = defer();
    let promoting: Ticket | undefined;
    const answer = find({ promote: (_, ticket) => ((promoting = ticket), promotion.promise) });
    lookups[0]!.resolve(foundOf(1));
    await answer;
    expect([tickets.size, tickets.isValid(promoting!)]).toEqual([1, true]);
    tickets.fence('key');
    expect(tickets.isValid(promoting!)).toBe(false);

    promotion.resolve();
    await settle();
    expect(tickets.size).toBe(0);
  });
});
