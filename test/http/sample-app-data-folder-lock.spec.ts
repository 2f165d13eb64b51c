import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataFolderLock } from '../../sample-app/src/database/data-folder-lock.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-folder-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function listen(): Promise<[Server, number]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, (server.address() as AddressInfo).port];
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/** Below all ports that are given away, so none of the locks under test can come to listen on it. */
const CLOSED_PORT = 1;

function writeLock(sinceMs: number, port: number): Promise<void> {
  return writeFile(join(folder, `lock.${sinceMs}.${process.pid}.${port}`), '');
}

describe(DataFolderLock.name, () => {
  it('refuses a folder that is held, with advice, and leaves the lock as it is', async () => {
    const lock = await DataFolderLock.acquire(folder);
    const held = await readdir(folder);

    const second = DataFolderLock.acquire(folder);
    await expect(second).rejects.toThrow(`${folder} is in use by process ${process.pid} since`);
    await expect(second).rejects.toThrow('PLACES_DATA_DIR=');

    expect(await readdir(folder)).toEqual(held);
    await lock.release();
  });

  it('refuses it also where the holder is younger by the clock', async () => {
    const [holder, port] = await listen();
    await writeLock(Date.now() + 3_600_000, port);

    await expect(DataFolderLock.acquire(folder)).rejects.toThrow('is in use');

    expect(await readdir(folder)).toHaveLength(1);
    await close(holder);
  });

  it('lets the next one in after a release', async () => {
    const first = await DataFolderLock.acquire(folder);
    await first.release();

    const second = await DataFolderLock.acquire(folder);
    await second.release();

    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over a lock nobody listens for, though its process number is in use', async () => {
    await writeLock(1, CLOSED_PORT);

    const lock = await DataFolderLock.acquire(folder);

    expect(await readdir(folder)).toEqual([expect.not.stringMatching(/^lock\.1\./)]);
    await lock.release();
  });

  it('lets in one of many who come at once and find a stale lock', async () => {
    await writeLock(1, CLOSED_PORT);

    const attempts = Array.from({ length: 20 }, () => DataFolderLock.acquire(folder));
    const outcomes = await Promise.allSettled(attempts);
    const locks = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value] : [],
    );

    expect(locks).toHaveLength(1);
    expect(await readdir(folder)).toHaveLength(1);
    await locks[0]!.release();
  });

  it('leaves other files alone', async () => {
    const others = ['lock', 'lock.1.2.3.new', 'lock.old', 'postgres'];
    await Promise.all(others.map((name) => writeFile(join(folder, name), '')));

    const lock = await DataFolderLock.acquire(folder);
    await lock.release();

    expect((await readdir(folder)).toSorted()).toEqual(others);
  });

  it('makes the folder', async () => {
    const lock = await DataFolderLock.acquire(join(folder, 'a/b'));
    await lock.release();

    expect(await readdir(join(folder, 'a'))).toEqual(['b']);
  });
});
