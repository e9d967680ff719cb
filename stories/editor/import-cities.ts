import type { City } from './data/city.ts'
import { continents } from './data/continents.ts'

/** What a city sets of an annotation's attributes; the others stay at the schema's defaults. */
export interface CityAnnotation {
  readonly id: string
  readonly name: string
  readonly kind: 'city'
  readonly layerId: string | null
  readonly rank: number
  readonly position: { readonly lon: number; readonly lat: number }
  readonly icon: { readonly shape: 'circle' | 'star' | 'diamond'; readonly color: string; readonly size: number }
  readonly text: { readonly size: number; readonly font: { readonly weight: number } }
  readonly visibility: { readonly labelMinZoom: number }
  readonly geonames: { readonly population: number; readonly country: string; readonly featureCode: string }
}

/** A layer row: continents at the top, their countries below. */
export interface CityLayer {
  readonly id: string
  readonly parentId: string | null
  readonly name: string
  readonly color: string
  readonly rank: number
}

interface PopulationClass {
  readonly below: number
  readonly color: string
  readonly size: number
  readonly textSize: number
  readonly weight: number
  readonly labelMinZoom: number
}

const largest: PopulationClass = {
  below: Infinity,
  color: '#ff6f61',
  size: 13,
  textSize: 14,
  weight: 600,
  labelMinZoom: 0,
}

const classes: readonly PopulationClass[] = [
  { below: 5_000, color: '#2c4d69', size: 3.25, textSize: 11, weight: 400, labelMinZoom: 8 },
  { below: 20_000, color: '#376f91', size: 4, textSize: 11, weight: 400, labelMinZoom: 7 },
  { below: 100_000, color: '#46a0ac', size: 5.25, textSize: 11.5, weight: 500, labelMinZoom: 5.5 },
  { below: 500_000, color: '#a9d6a2', size: 7.5, textSize: 12, weight: 500, labelMinZoom: 4 },
  { below: 2_000_000, color: '#f2c46d', size: 9.5, textSize: 12.5, weight: 500, labelMinZoom: 2.5 },
  { below: 8_000_000, color: '#ff9d5c', size: 11, textSize: 13, weight: 600, labelMinZoom: 1 },
  largest,
]

const layerOfCountry: ReadonlyMap<string, string> = new Map(
  continents.flatMap((continent) => continent.countries.map((code) => [code, `country-${code}`] as const)),
)

/** The annotation to insert for a city: about a dozen of the schema's attributes. */
export function annotationOf(city: City): CityAnnotation {
  const style = classes.find((candidate) => city.population < candidate.below) ?? largest
  const shape = city.featureCode === 'PPLC' ? 'star' : city.featureCode === 'PPLA' ? 'diamond' : 'circle'
  const size = shape === 'star' ? Math.max(style.size, 8) + 4 : shape === 'diamond' ? style.size + 1.5 : style.size
  return {
    // A mirror is filled by key, and drawn in that order: large cities end on top.
    id: `geonames-${String(city.population).padStart(8, '0')}-${city.id}`,
    name: city.name,
    kind: 'city',
    layerId: layerOfCountry.get(city.country) ?? null,
    rank: Math.round(Math.log2(city.population + 1) * 4) / 4 + (shape === 'star' ? 3 : 0),
    position: { lon: city.lon, lat: city.lat },
    icon: { shape, color: style.color, size },
    text: { size: style.textSize, font: { weight: style.weight } },
    visibility: { labelMinZoom: shape === 'star' ? Math.min(style.labelMinZoom, 2.5) : style.labelMinZoom },
    geonames: { population: city.population, country: city.country, featureCode: city.featureCode },
  }
}

/** The layer tree for these cities: each continent and country that has any, parents before children. */
export function layersOf(cities: readonly City[]): CityLayer[] {
  const present = new Set(cities.map((city) => city.country))
  const names = new Intl.DisplayNames('en', { type: 'region' })
  const layers: CityLayer[] = []
  for (const [rank, continent] of continents.entries()) {
    const countries = continent.countries.filter((code) => present.has(code))
    if (countries.length === 0) continue
    layers.push({ id: continent.id, parentId: null, name: continent.name, color: continent.color, rank })
    const children = countries
      .map((code) => ({ code, name: names.of(code) ?? code }))
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
    for (const [order, { code, name }] of children.entries()) {
      layers.push({ id: `country-${code}`, parentId: continent.id, name, color: continent.color, rank: order })
    }
  }
  return layers
}
