import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadSlots } from '../../lib/hierarchy/load-slots.js';
import type { RunningLoad } from '../../lib/memory/load-request.js';
import { VirtualClock } from '../support/virtual-clock.js';

const PATIENCE_MS = 100;

/** A load that a test detaches. */
class FakeLoad implements Pick<RunningLoad, 'onDetached'> {
  #listeners: (() => void)[] = [];

  onDetached(run: () => void): void {
    this.#listeners.push(run);
  }

  detach(): void {
    for (const run of this.#listeners.splice(0)) run();
  }
}

let clock: VirtualClock;
let slots: LoadSlots;
/** The names of those who may run, in the order in which they began. */
let begun: string[];
let giveBack: Map<string, () => void>;

function open(count: number): void {
  slots = new LoadSlots(count, PATIENCE_MS, clock);
}

beforeEach(() => {
  clock = new VirtualClock();
  begun = [];
  giveBack = new Map();
  open(1);
});

afterEach(() => {
  for (let left = giveBack.size; left > 0; left--) for (const give of giveBack.values()) give();
  expect([slots.waiting, clock.pending]).toEqual([0, 0]);
});

/** Takes a slot for a load of this name, or for several. */
async function take(name: string, loads = [new FakeLoad()]): Promise<FakeLoad[]> {
  void slots.take(loads as unknown as RunningLoad[]).then((give) => {
    begun.push(name);
    giveBack.set(name, give);
  });
  await clock.turn();
  return loads;
}

async function giveBackOf(name: string): Promise<void> {
  giveBack.get(name)!();
  await clock.turn();
}

describe(LoadSlots.name, () => {
  it('lets so many run, and the others in the order in which they came', async () => {
    open(2);
    for (const name of ['a', 'b', 'c', 'd']) await take(name);
    expect([begun, slots.waiting]).toEqual([['a', 'b'], 2]);

    await giveBackOf('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await giveBackOf('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes a slot back once, however often it is given back', async () => {
    for (const name of ['a', 'b', 'c']) await take(name);

    await giveBackOf('a');
    await giveBackOf('a');

    expect(begun).toEqual(['a', 'b']);
    await giveBackOf('b');
  });

  it('has a slot again for who comes later', async () => {
    await take('a');
    await giveBackOf('a');

    await take('b');

    expect(begun).toEqual(['a', 'b']);
  });

  it('takes the slot of a load that is detached while its loader runs', async () => {
    const [load] = await take('hung');
    await take('b');
    load!.detach();
    await clock.turn();
    expect(begun).toEqual(['hung', 'b']);

    await giveBackOf('hung');
    await take('c');
    expect(begun).toEqual(['hung', 'b']);
    await giveBackOf('b');
  });

  it('takes the slot of several loads when all of them are detached', async () => {
    const [first, second] = await take('batch', [new FakeLoad(), new FakeLoad()]);
    await take('b');
    first!.detach();
    await clock.turn();
    expect(begun).toEqual(['batch']);

    second!.detach();
    await clock.turn();
    expect(begun).toEqual(['batch', 'b']);
  });

  it('lets who has waited for long go without a slot', async () => {
    await take('a');
    await take('b');
    await clock.advance(PATIENCE_MS);
    expect([begun, slots.waiting]).toEqual([['a', 'b'], 0]);

    await take('c');
    await giveBackOf('b');
    expect(begun).toEqual(['a', 'b']);
    await giveBackOf('a');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('lets who is detached while it waits go, and keeps the slot for others', async () => {
    await take('a');
    const [load] = await take('left');
    await take('c');
    load!.detach();
    await clock.turn();
    expect(begun).toEqual(['a', 'left']);

    await giveBackOf('a');
    expect(begun).toEqual(['a', 'left', 'c']);
  });

  it('lets everybody go when it is closed', async () => {
    for (const name of ['a', 'b', 'c']) await take(name);
    slots.close();
    await clock.turn();
    await take('d');

    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });
});
