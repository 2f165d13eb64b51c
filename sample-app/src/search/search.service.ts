import { Injectable } from '@nestjs/common';
import { Cacheable } from 'nestjs-cache-hierarchy';
import type { Answer } from '../answers/answer.js';
import { Database } from '../database/database.js';
import { PLACE_COLUMNS, type Place } from '../places/place.js';
import { ANY_PLACE } from '../places/place-tags.js';
import { SEARCHES } from './searches-cache.js';

/** What to look for. */
export interface Search {
  /** A part of the name, folded by {@link foldName}. */
  readonly text: string;
  readonly country: string | null;
  readonly limit: number;
}

/** A place and how well its name fits. */
export interface FoundPlace extends Place {
  readonly match: 'exact' | 'beginning' | 'word' | 'part';
}

/** Strips every name of its accents, to find São Paulo by "sao", and ranks what is left. */
const SEARCH = `
  WITH folded AS (
    SELECT ${PLACE_COLUMNS},
      lower(regexp_replace(normalize(name, NFD), '[\\u0300-\\u036f]', '', 'g')) AS folded
    FROM places_sample.places
    WHERE $2::text IS NULL OR country = $2
  ), ranked AS (
    SELECT ${PLACE_COLUMNS},
      CASE
        WHEN folded = $1 THEN 1
        WHEN starts_with(folded, $1) THEN 2
        WHEN position(' ' || $1 IN folded) > 0 THEN 3
        ELSE 4
      END AS rank
    FROM folded
    WHERE position($1 IN folded) > 0
  )
  SELECT ${PLACE_COLUMNS}, (ARRAY['exact', 'beginning', 'word', 'part'])[rank] AS match
  FROM ranked
  ORDER BY rank, population DESC, id
  LIMIT $3`;

/** The idea: no key at all. It is derived from the class, the method and the arguments. */
@Injectable()
export class SearchService {
  constructor(private readonly database: Database) {}

  /** Two objects with the same content are one key, in whatever order they were written. */
  @Cacheable({ cache: SEARCHES, tags: [ANY_PLACE] })
  search({ text, country, limit }: Search): Promise<Answer<FoundPlace[]>> {
    return this.database.ask(SEARCH, [text, country, limit]);
  }
}

/** Makes one of what only accents and case tell apart, as the query does. */
export function foldName(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036F]/gu, '')
    .toLowerCase();
}
