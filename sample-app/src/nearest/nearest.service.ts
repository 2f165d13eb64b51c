import { Injectable } from '@nestjs/common';
import { Cacheable } from 'nestjs-cache-hierarchy';
import type { Answer } from '../answers/answer.js';
import { Database } from '../database/database.js';
import { PLACE_COLUMNS, type Place } from '../places/place.js';
import { ANY_PLACE } from '../places/place-tags.js';

/** A place and how far it is. */
export interface NearPlace extends Place {
  readonly km: number;
}

/** The haversine formula with a mean radius of 6,371 km, for every row of the table. */
const NEAREST = `
  SELECT ${PLACE_COLUMNS}, round(km::numeric, 2)::float8 AS km
  FROM (
    SELECT ${PLACE_COLUMNS},
      2 * 6371 * asin(sqrt(least(1,
        power(sin(radians(latitude - $1) / 2), 2) +
        cos(radians($1)) * cos(radians(latitude)) * power(sin(radians(longitude - $2) / 2), 2)
      ))) AS km
    FROM places_sample.places
    ORDER BY km, id
    LIMIT $3
  ) AS nearest
  ORDER BY nearest.km, id`;

/** The idea: a decorator with a key, a lifetime and tags, and a method that knows of no cache. */
@Injectable()
export class NearestService {
  constructor(private readonly database: Database) {}

  /** The key is used as it is written, so `cache.delete('nearest:52.52:13.405:10')` reaches it. */
  @Cacheable({
    key: (latitude: number, longitude: number, limit: number) =>
      `nearest:${latitude}:${longitude}:${limit}`,
    ttl: '10m',
    tags: [ANY_PLACE],
  })
  nearest(latitude: number, longitude: number, limit: number): Promise<Answer<NearPlace[]>> {
    return this.database.ask(NEAREST, [latitude, longitude, limit]);
  }
}
