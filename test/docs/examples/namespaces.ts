import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
const acme = cache.namespace('acme');
const settings = acme.namespace('settings');

await acme.set('theme', 'dark', { tags: 'themes' });
await settings.set('theme', 'light');
console.log(cache.peek('theme'), acme.peek('theme'), settings.peek('theme')); // undefined dark light

await cache.invalidateTags('themes');
console.log(acme.peek('theme'), settings.peek('theme')); // undefined light

await acme.clear(); // and what is inside it, in one step
console.log(settings.peek('theme')); // undefined
await cache.close();
