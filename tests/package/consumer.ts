// The built package as its users have it: type-checked and run against dist, not against the sources.
import assert from 'node:assert/strict'
import { createStore, defineSchema, sql, type ChangeSet } from 'rowcast'
import { createKysely, run } from 'rowcast/kysely'
import { nodeSqliteDriver } from 'rowcast/node'
import { filePersistence } from 'rowcast/persist'
import { createStoreContext } from 'rowcast/react'
import { openRemote } from 'rowcast/remote'
import { createServer, memoryStorage } from 'rowcast/server'
import { createTabs } from 'rowcast/tabs'
import { createMemoryStore } from 'rowcast/testing'
import { bindInstancedMesh } from 'rowcast/three'
import { memoryTransport } from 'rowcast/transport'
import { createMirror } from 'rowcast/webgl'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, size: { type: 'number', default: 1 } },
      },
    },
  },
})

const server = createServer({ schema, storage: memoryStorage() })
await server.databases.create('demo')
const store = await createStore({
  schema,
  driver: nodeSqliteDriver(),
  sync: { transport: memoryTransport(server.accept), database: 'demo' },
})
const told: ChangeSet[] = []
store.commits$.subscribe((set) => told.push(set))
await store.transaction(() => void store.table('item').insert({ id: 'a' }), { confirm: 'server' })
// @ts-expect-error there is no such table
assert.throws(() => store.table('nothing'))
const size: number | undefined = store.table('item').get('a')?.size
assert.equal(size, 1)
assert.deepEqual(store.query(sql`select size from item`), [{ size: 1 }])
assert.equal(createMirror(store, 'item', { attributes: { size: { paths: ['size'], type: 'f32' } } }).count, 1)
await store.close()
await server.close()

const local = await createMemoryStore(schema, { item: [{ id: 'b', size: 2 }] })
assert.equal(local.table('item').count(), 1)
const db = createKysely(local)
// @ts-expect-error there is no such column
db.selectFrom('item').select('nothing')
assert.deepEqual(run(local, db.selectFrom('item').select('size')), [{ size: 2 }])
await local.close()
for (const one of [filePersistence, createStoreContext, openRemote, createTabs, bindInstancedMesh])
  assert.equal(typeof one, 'function')
