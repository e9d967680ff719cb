import type { Plugin } from 'vite'
import { readColumns } from './server/city-columns.ts'

const moduleId = 'virtual:cities'
const devPath = '/@cities.json'

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
