import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
const host = '127.0.0.1';

let server: RedisServer;
const opened: CacheHierarchy[] = [];

beforeAll(async () => {
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const named = ['-subj', '/CN=redis', '-addext', `subjectAltName=IP:${host}`, '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...made, ...named, ...files], { stdio: 'pipe' });
  server = await RedisServer.start();
  await server.kill();
  const tls = ['--tls-port', String(server.port), '--tls-auth-clients', 'no'];
  await server.run('--port', '0', ...tls, '--tls-cert-file', certificate, '--tls-key-file', key);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()));
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Clients as their users make them: with an authority that they trust, or Node's own. */
const CLIENTS: readonly [string, (ca?: Buffer) => RedisClient][] = [
  ['ioredis', (ca) => new Redis({ host, port: server.port, tls: { ca }, lazyConnect: true })],
  ['redis', (ca) => createClient({ socket: { host, port: server.port, tls: true, ca } })],
];

function open(client: RedisClient): CacheHierarchy {
  const cache = new CacheHierarchy({ remote: redisLevel({ client }), report: () => {} });
  opened.push(cache);
  return cache;
}

describeWithRedis.each(CLIENTS)('TLS through %s', (_, clientOf) => {
  it('is used by all connections of a level', async () => {
    const client = clientOf(readFileSync(certificate));
    const [one, other] = [open(client), open(client)];
    await until('copies are proven', () => other.getMetrics().coherence!.proven);
    await one.set('key', 'value');
    expect(await other.get('key')).toBe('value');

    await one.delete('key', { require: 'remote' });
    await until('the copy is dropped', () => !other.has('key'));
    expect(one.getMetrics().levelFailures).toBe(0);
  });

  it('keeps from a server that nobody vouches for', async () => {
    const cache = open(clientOf());

    await expect(cache.delete('key', { require: 'remote' })).rejects.toThrow('A delete failed');
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
  });
});
