import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

// PGlite holds its thread for as long as a query takes. Here that thread is not the one that
// answers requests, so cached answers never wait behind a query.
const { cluster } = workerData as { cluster: string };

if (!existsSync(cluster)) await createCluster();
const db = await PGlite.create(cluster);
// The default lets in one connection: the pool's, but not the loader's beside it, nor those of a fleet.
const server = new PGLiteSocketServer({ db, port: 0, maxConnections: 40 });
await server.start();

parentPort?.once('message', () => void stop());
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
parentPort?.postMessage(`postgres://postgres@${server.getServerConn()}/postgres`);

/** A process killed half-way leaves a folder that is not used: the real one is whole or absent. */
async function createCluster(): Promise<void> {
  const draft = `${cluster}.new`;
  await rm(draft, { recursive: true, force: true });
  const fresh = await PGlite.create(draft);
  await fresh.close();
  await rename(draft, cluster);
}

async function stop(): Promise<void> {
  await server.stop();
  await db.close();
}
