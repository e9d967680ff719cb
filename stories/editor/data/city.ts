/** The cities as one array per attribute, which is a third of the size of an array of objects. */
export interface CityColumns {
  readonly id: readonly number[]
  readonly name: readonly string[]
  /** Degrees times 100,000. */
  readonly lon: readonly number[]
  /** Degrees times 100,000. */
  readonly lat: readonly number[]
  readonly population: readonly number[]
  readonly country: readonly string[]
  readonly featureCode: readonly string[]
}

/** One populated place of GeoNames (CC BY 4.0, geonames.org). */
export interface City {
  readonly id: number
  readonly name: string
  readonly lon: number
  readonly lat: number
  readonly population: number
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** GeoNames feature code: `PPLC` is a capital. */
  readonly featureCode: string
}

/** Takes the columns apart into records, in their order: smallest population first. */
export function citiesOf(columns: CityColumns): City[] {
  return columns.id.map((id, index) => ({
    id,
    name: columns.name[index] ?? '',
    lon: (columns.lon[index] ?? 0) / 1e5,
    lat: (columns.lat[index] ?? 0) / 1e5,
    population: columns.population[index] ?? 0,
    country: columns.country[index] ?? '',
    featureCode: columns.featureCode[index] ?? '',
  }))
}

/** Fetches the file that `virtual:cities` names. Throws when the server does not answer with it. */
export async function loadCities(url: string): Promise<City[]> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The cities could not be loaded from ${url}: HTTP ${response.status}.`)
  return citiesOf((await response.json()) as CityColumns)
}
