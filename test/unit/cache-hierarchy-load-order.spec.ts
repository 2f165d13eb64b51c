import { expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { HeldLevel } from '../support/held-level.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

it('lets no older load follow a later one into the remote', async () => {
  const clock = new VirtualClock();
  const held: (() => void)[] = [];
  let holdsWrites = false;
  const remote = new HeldLevel('remote', clock, (operation, apply) =>
    holdsWrites && operation.startsWith('write')
      ? new Promise((resolve) => held.push(() => resolve(apply())))
      : Promise.resolve(apply()),
  );
  const cache = new CacheHierarchy({ clock, l2: false, remote, joinTimeout: 50 });
  const [old, young] = [defer<string>(), defer<string>()];
  const first = cache.getOrSet('key', () => old.promise);
  await settle();
  const second = cache.getOrSet('key', () => young.promise);
  await clock.advance(50); // the second takes the place of the first

  holdsWrites = true;
  young.resolve('young');
  await settle();
  old.resolve('old');
  await settle();
  holdsWrites = false;
  for (const letGo of held) letGo();
  await settle();

  expect([await first, await second]).toEqual(['old', 'young']);
  expect([remote.entries.read('key')?.value, cache.peek('key')]).toEqual(['young', 'young']);
  await cache.close();
});
