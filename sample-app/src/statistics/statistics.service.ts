import { Injectable } from '@nestjs/common';
import { CacheHierarchy, type CacheNamespace } from 'nestjs-cache-hierarchy';
import type { Answer } from '../answers/answer.js';
import { Database } from '../database/database.js';
import { ANY_PLACE, placesIn } from '../places/place-tags.js';

/** The places of one country, in figures. */
export interface CountryStatistics {
  readonly country: string;
  readonly places: number;
  readonly population: number;
  readonly medianPopulation: number;
  readonly largest: string;
}

const STATISTICS = `
  SELECT country, count(*)::int AS places, sum(population)::float8 AS population,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY population) AS "medianPopulation",
    (array_agg(name ORDER BY population DESC, id))[1] AS largest
  FROM places_sample.places
  WHERE $1::text IS NULL OR country = $1
  GROUP BY country
  ORDER BY population DESC, country`;

/**
 * The idea: the cache itself, for what a decorator can not say. A namespace keeps this service's
 * keys apart from everybody else's; tags reach into it all the same.
 */
@Injectable()
export class StatisticsService {
  private readonly cache: CacheNamespace;

  constructor(
    private readonly database: Database,
    cache: CacheHierarchy,
  ) {
    this.cache = cache.namespace('statistics');
  }

  /** Every country; any changed place makes it new. */
  countries(): Promise<Answer<CountryStatistics[]>> {
    return this.cache.getOrSet('all', () => this.database.ask(STATISTICS, [null]), {
      ttl: '1h',
      tags: [ANY_PLACE],
    });
  }

  /** One country, if there is one: a place changed elsewhere leaves it cached. */
  country(code: string): Promise<Answer<CountryStatistics | null>> {
    const load = async (): Promise<Answer<CountryStatistics | null>> => {
      const answer = await this.database.ask<CountryStatistics>(STATISTICS, [code]);
      return { ...answer, value: answer.value[0] ?? null };
    };
    return this.cache.getOrSet(code, load, { ttl: '1h', tags: [placesIn(code)] });
  }
}
