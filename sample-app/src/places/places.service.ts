import { Injectable, NotFoundException } from '@nestjs/common';
import { Cacheable, Caching } from 'nestjs-cache-hierarchy';
import { type Answer } from '../answers/answer.js';
import { Database } from '../database/database.js';
import { SEARCHES } from '../search/searches-cache.js';
import { PLACE_COLUMNS, type Place } from './place.js';
import { ANY_PLACE, placesIn } from './place-tags.js';

/** What a write may change; what is left out stays. */
export interface PlaceChange {
  readonly name?: string | undefined;
  readonly population?: number | undefined;
}

const FIND = `SELECT ${PLACE_COLUMNS} FROM places_sample.places WHERE id = $1`;
const CHANGE = `
  UPDATE places_sample.places
  SET name = coalesce($2, name), population = coalesce($3, population)
  WHERE id = $1
  RETURNING ${PLACE_COLUMNS}`;

const placeKey = (id: number): string => `place:${id}`;

/**
 * The idea: a write tells the cache what it changed. First the database, then the cache: whatever
 * was being read from the old row when the cache is told is not stored any more.
 */
@Injectable()
export class PlacesService {
  constructor(private readonly database: Database) {}

  /** The value may be nothing, which is cached too: asking again for a wrong id costs no SQL. */
  @Cacheable({ key: placeKey })
  async find(id: number): Promise<Answer<Place | null>> {
    const answer = await this.database.ask<Place>(FIND, [id]);
    return { ...answer, value: answer.value[0] ?? null };
  }

  /**
   * Changes a place. Once it has resolved, every read is fresh: one entry is known by its key, all that
   * carry a tag need not be known. The searches have a cache, and so tags, of their own.
   *
   * @throws {NotFoundException} when there is no such place
   */
  @Caching({
    evict: [
      { key: placeKey, resultTags: ({ value }) => [ANY_PLACE, placesIn(value.country)] },
      { cache: SEARCHES, tags: [ANY_PLACE] },
    ],
  })
  async change(id: number, { name, population }: PlaceChange): Promise<Answer<Place>> {
    const answer = await this.database.ask<Place>(CHANGE, [id, name, population]);
    const [place] = answer.value;
    if (place === undefined) throw new NotFoundException(`There is no place ${id}.`);
    return { ...answer, value: place };
  }
}
