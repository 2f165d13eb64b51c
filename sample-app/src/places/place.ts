/** A populated place, as the endpoints show it. */
export interface Place {
  readonly id: number;
  readonly name: string;
  /** Two letters, as in ISO 3166. */
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

/** The columns of a {@link Place}. */
export const PLACE_COLUMNS = 'id, name, country, population, latitude, longitude';
