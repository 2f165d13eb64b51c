import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
let queries = 0;

async function findUser(id: number): Promise<{ id: number; name: string }> {
  queries += 1;
  return { id, name: 'Ada' };
}

const callers = Array.from({ length: 1_000 }, () => cache.getOrSet('user:1', () => findUser(1)));
const users = await Promise.all(callers);

console.log(queries); // 1
console.log(users.every((user) => user === users[0])); // true

const request = new AbortController();
const answer = cache.getOrSet(
  'report',
  ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject())),
  { signal: request.signal, waitTimeout: '2s' },
);
request.abort(new Error('the client went away')); // ends this wait, and the load with its last caller
console.log(await answer.catch((error: Error) => error.message)); // the client went away
await cache.close();
