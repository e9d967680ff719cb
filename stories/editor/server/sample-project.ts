import { createStore, defineSchema } from '../../../src/index.ts'
import { nodeSqliteDriver } from '../../../src/drivers/node.ts'
import { editorSchemaInput } from '../annotation-schema.ts'
import { citiesOf } from '../data/city.ts'
import { annotationOf, layersOf } from '../import-cities.ts'
import { readColumns } from './city-columns.ts'

/** The project of all cities, as the bytes of a .db file. `limit` takes the largest ones only. */
export async function sampleProject(limit = Infinity): Promise<Uint8Array> {
  const cities = citiesOf(readColumns()).slice(-limit)
  const store = await createStore({ schema: defineSchema(editorSchemaInput), driver: nodeSqliteDriver() })
  try {
    store.table('layer').insert(layersOf(cities))
    store.table('annotation').insert(cities.map(annotationOf))
    return store.export()
  } finally {
    await store.close()
  }
}
