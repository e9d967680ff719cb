import { createStore } from 'rowcast'
import { nodeSqliteDriver } from 'rowcast/node'
import { createServer, memoryStorage } from 'rowcast/server'
import { schema } from './schema.ts'

/** Serves a database of so many rows, and tells its parent where. */
export async function serve(count: number): Promise<void> {
  const store = await createStore({ schema, driver: nodeSqliteDriver() })
  const shapes = store.table('shape')
  const made = 10_000
  for (let from = 0; from < count; from += made)
    shapes.insert(
      Array.from({ length: Math.min(made, count - from) }, (_, n) => ({
        id: from + n,
        title: `shape ${String(from + n).padStart(14, '0')}`,
        x: ((from + n) * 7919) % 10_007,
        y: (((from + n) * 104_729) % 10_007) / 8,
      })),
    )
  const file = store.export()
  await store.close()
  const server = createServer({ schema, storage: memoryStorage(), cors: { origins: '*' } })
  await server.databases.create('d', { file })
  const { port } = await server.listen({ port: 0 })
  process.send!({ port })
}
