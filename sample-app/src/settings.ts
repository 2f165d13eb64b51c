import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigType, registerAs } from '@nestjs/config';
import { StartError } from './start-error.js';

/** Found by this file's place, so that the application may be started from any folder. */
export const envFile = fileURLToPath(new URL('../.env', import.meta.url));
const defaultDataFolder = fileURLToPath(new URL('../.data', import.meta.url));

/** The application's own settings; the cache's are read by the library's `cacheHierarchyConfig`. */
export const settings = registerAs('sample', () => readSettings(process.env));

export type Settings = ConfigType<typeof settings>;

function readSettings(environment: NodeJS.ProcessEnv) {
  const port = environment.PORT?.trim() || '3000';
  const databaseUrl = environment.DATABASE_URL?.trim() || undefined;
  const redisUrl = environment.REDIS_URL?.trim() || undefined;
  const dataFolder = environment.PLACES_DATA_DIR?.trim() || defaultDataFolder;

  const problems: string[] = [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    problems.push(`PORT must be a whole number from 0 to 65535, got "${port}".`);
  }
  if (databaseUrl !== undefined && !hasProtocol(databaseUrl, ['postgres:', 'postgresql:'])) {
    problems.push(
      'DATABASE_URL must look like postgres://user:password@host:5432/database. ' +
        'Leave it blank for the embedded PostgreSQL.',
    );
  }
  if (redisUrl !== undefined && !hasProtocol(redisUrl, ['redis:', 'rediss:'])) {
    problems.push(
      'REDIS_URL must look like redis://localhost:6379. Leave it blank for an instance of its own.',
    );
  }
  if (problems.length > 0) {
    throw new StartError(`The settings can not be used:\n  - ${problems.join('\n  - ')}`);
  }
  return { port: Number(port), databaseUrl, redisUrl, dataFolder: resolve(dataFolder) };
}

/** The value may hold a password, so no message shows it. */
function hasProtocol(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
