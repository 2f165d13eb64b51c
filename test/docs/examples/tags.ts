import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
const rows = new Map([
  [1, { title: 'Notes', author: 'ada' }],
  [2, { title: 'Bugs', author: 'grace' }],
]);

const post = (id: number) =>
  cache.getOrSet(
    `post:${id}`,
    async ({ tags }) => {
      const row = rows.get(id)!;
      tags(`author:${row.author}`); // known only now, and counts from the call on
      return row;
    },
    { tags: 'posts' },
  );

await Promise.all([post(1), post(2)]);
await cache.invalidateTags('author:ada');
console.log(cache.has('post:1'), cache.has('post:2')); // false true

await cache.invalidateTags(['posts', 'drafts']);
console.log(cache.has('post:2')); // false
await cache.close();
