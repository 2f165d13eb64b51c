import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { ChaosLevel, FakeClock } from 'nestjs-cache-hierarchy/testing';

const clock = new FakeClock();
const remote = new ChaosLevel({ clock }); // a store in memory, with switches
const cache = new CacheHierarchy({ clock, l2: false, remote, report: () => {} });
const unconfirmed = () => cache.getMetrics().lower.remote?.unconfirmed;

await cache.set('rate', 1.1);
remote.down();
console.log(await cache.get('rate')); // 1.1
await cache.delete('rate');
console.log(await cache.getOrSet('rate', () => 1.2), unconfirmed()); // 1.2 1

remote.up();
await clock.advance('1s'); // when what is not confirmed is tried again
console.log(unconfirmed()); // 0

remote.down('hang'); // now it does not even answer
const read = cache.getOrSet('place', () => 'Paris');
await clock.advance('2s'); // levelTimeout, for the read and for the write
console.log(await read); // Paris
await cache.close();
