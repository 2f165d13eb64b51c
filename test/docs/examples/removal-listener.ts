import { EnhancedAsyncTTLCache } from 'nestjs-cache-hierarchy';

const left: string[] = [];
const connections = new EnhancedAsyncTTLCache<{ close(): void }>({
  maxEntries: 100,
  onRemove: (key, connection, reason) => {
    connection.close();
    left.push(`${key} ${reason}`);
  },
});

await connections.set('db', { close() {} });
await connections.delete('db');
console.log(left); // [ 'db deleted' ]
await connections.stop();
