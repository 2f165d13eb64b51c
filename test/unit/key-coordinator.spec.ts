import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyCoordinator, type KeyCoordinatorPorts } from '../../lib/memory/key-coordinator.js';
import type { Ticket } from '../../lib/memory/tickets.js';
import { defer } from '../support/deferred.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let stored: Map<string, unknown>;
let dropped: string[];
let order: number;
let admitted: boolean;
let coordinator: KeyCoordinator;

beforeEach(() => {
  clock = new VirtualClock();
  stored = new Map();
  dropped = [];
  order = 3;
  admitted = true;
  coordinator = open();
});

afterEach(() => {
  expect(coordinator.getMetrics()).toMatchObject({ inFlight: 0, locks: { heldKeys: 0 } });
  expect(coordinator.oldest?.order).toBeUndefined();
  expect(clock.pending).toBe(0);
});

function open(ports: Partial<KeyCoordinatorPorts> = {}): KeyCoordinator {
  return new KeyCoordinator({
    clock,
    lockTimeoutMs: 1_000,
    joinTimeoutMs: 1_000,
    shardOf: () => 1,
    drop: (key) => {
      dropped.push(key);
      stored.delete(key);
    },
    order: () => order,
    admits: () => admitted,
    ...ports,
  });
}

function load(loader: () => unknown, tags?: readonly string[]): Promise<unknown> {
  return coordinator.load({
    key: 'key',
    tags,
    callLoader: loader,
    store: (value, ticket) => stored.set(ticket.key, value),
  });
}

function set(value: unknown): Promise<void> {
  return coordinator.set('key', undefined, {
    value,
    store: (_, ticket) => stored.set(ticket.key, value),
  });
}

function update(change: () => Promise<unknown>): Promise<unknown> {
  return coordinator.update('key', undefined, change, {
    store: (value, ticket) => stored.set(ticket.key, value),
  });
}

describe(KeyCoordinator.name, () => {
  it('hands out tickets that carry the tags, the time and the order of the call', async () => {
    const tickets: Ticket[] = [];
    const note = (_: unknown, ticket: Ticket): unknown => tickets.push(ticket);
    await coordinator.load({ key: 'key', tags: ['a'], callLoader: () => 1, store: note });
    await coordinator.set('key', ['b'], { value: 1, store: note });
    await coordinator.update('key', ['c'], async () => 1, { store: note });

    const facts = tickets.map(({ kind, tags, order: at, openedAt }) => [kind, tags, at, openedAt]);
    expect(facts).toEqual([
      ['load', ['a'], 3, clock.now()],
      ['write', ['b'], 3, clock.now()],
      ['write', ['c'], 3, clock.now()],
    ]);
  });

  it('knows the order of the oldest operation under way', async () => {
    const loaded = defer<unknown>();
    const early = load(() => loaded.promise);
    order = 4;
    const late = update(() => loaded.promise);

    const oldest = coordinator.oldest?.order;
    loaded.resolve(1);
    await Promise.all([early, late]);

    expect(oldest).toBe(3);
  });

  it('stores nothing that its owner does not admit any more, and counts it', async () => {
    const loaded = defer<unknown>();
    const loading = load(() => loaded.promise);
    const updating = update(() => loaded.promise);
    const setting = set(2);
    admitted = false;
    loaded.resolve(1);

    expect(await Promise.all([loading, updating, setting])).toEqual([1, 1, undefined]);
    expect(stored.size).toBe(0);
    expect(coordinator.getMetrics().fenced).toBe(3);
  });

  it('drops the key of a set or update that ends unstored, and of no load', async () => {
    const loaded = defer<unknown>();
    const loading = load(() => loaded.promise);
    coordinator.fence('key');
    loaded.resolve(1);
    await loading;
    const afterLoad = [...dropped];

    const changed = defer<unknown>();
    const updating = update(() => changed.promise);
    coordinator.fenceAll();
    changed.resolve(1);
    await updating;

    expect(afterLoad).toEqual([]);
    expect(dropped).toEqual(['key']);
  });

  it('lets no set slip in between a release and a grant that is delayed', async () => {
    const grants: (() => void)[] = [];
    coordinator = open({ handOver: (grant) => grants.push(grant) });
    const changed = defer<unknown>();
    const first = update(() => changed.promise);
    const second = update(async () => `${String(stored.get('key'))} and second`);
    changed.resolve('first');
    await first;

    const third = set('third');
    const between = stored.get('key');
    for (const grant of grants.splice(0)) grant();
    await second;
    const afterSecond = stored.get('key');
    for (const grant of grants.splice(0)) grant();
    await third;

    expect([between, afterSecond, stored.get('key')]).toEqual([
      'first',
      'first and second',
      'third',
    ]);
  });

  it('runs the change of an update in the call when nobody holds the key', async () => {
    let ran = false;

    const updated = update(async () => {
      ran = true;
      return 1;
    });

    expect(ran).toBe(true);
    await updated;
  });

  it('loads alone without storing, joining or keeping others from joining', async () => {
    const loaded = defer<unknown>();
    const alone = coordinator.loadAlone({
      key: 'key',
      callLoader: () => loaded.promise,
      store: () => stored.set('key', 'alone'),
    });
    const other = await load(() => 'other');
    loaded.resolve('alone');

    expect([await alone, other, stored.get('key')]).toEqual(['alone', 'other', 'other']);
    expect(coordinator.getMetrics().joins).toBe(0);
  });

  it('ends the wait of one caller by its signal and of another by its timeout', async () => {
    const leaving = new AbortController();
    const loaded = defer<unknown>();
    const request = { key: 'key', callLoader: () => loaded.promise, store: () => {} };
    const signalled = observe(coordinator.load({ ...request, signal: leaving.signal }));
    const hurried = observe(coordinator.load({ ...request, waitTimeoutMs: 10 }));
    const patient = coordinator.load(request);

    leaving.abort('enough');
    await clock.advance(10);
    loaded.resolve('value');

    expect(await patient).toBe('value');
    expect([signalled.error, hurried.state]).toEqual(['enough', 'rejected']);
  });

  it('lets everybody on who waits when it is closed, and leaves no timer', async () => {
    const changed = defer<unknown>();
    const updating = update(() => changed.promise);
    const setting = observe(set('set'));
    const loading = load(() => changed.promise);
    const joining = load(() => 'unused');

    coordinator.close();
    await settle();
    const pending = clock.pending;
    changed.resolve('changed');

    expect([setting.state, pending]).toEqual(['resolved', 0]);
    expect(await Promise.all([updating, loading, joining])).toEqual([
      'changed',
      'changed',
      'changed',
    ]);
  });

  it('leaves nothing under way when a store throws', async () => {
    const failure = new Error('of the store');
    const fail = (): never => {
      throw failure;
    };

    const errors = await Promise.all([
      rejectionOf(coordinator.load({ key: 'key', callLoader: () => 1, store: fail })),
      rejectionOf(coordinator.update('other', undefined, async () => 1, { store: fail })),
    ]);
    await settle();

    expect(errors).toEqual([failure, failure]);
    expect(dropped).toEqual(['other']);
  });
});
