import { createStore, defineSchema } from 'rowcast'
import { createStoreContext } from 'rowcast/react'
import wasmUrl from 'sql.js/dist/sql-wasm.wasm?url'
import { makeItems } from './data.ts'
import type { Actions } from './table.tsx'

const schema = defineSchema({
  version: 1,
  tables: {
    item: {
      primaryKey: 'id',
      indexes: [['place']],
      schema: {
        type: 'object',
        required: ['id', 'label', 'place'],
        properties: { id: { type: 'integer' }, label: { type: 'string' }, place: { type: 'integer' } },
      },
    },
    view: {
      singleton: true,
      schema: { type: 'object', required: ['selected'], properties: { selected: { type: 'integer' } } },
    },
  },
})

/** The store of both rowcast apps. A row's place in the order is a column of its own. */
export const store = await createStore({
  schema,
  locateFile: () => wasmUrl,
  data: { view: { selected: 0 } },
})

export const { StoreProvider, useRows, useRow, useQuery, useValue } = createStoreContext(schema)

const items = store.table('item')
/** What is shown: while it is, it is read without asking SQLite. */
const shown = items.live({ orderBy: 'place' })
const view = store.value('view')
let nextPlace = 0

function insert(count: number): void {
  items.insert(makeItems(count).map((item) => ({ ...item, place: nextPlace++ })))
}

function replace(count: number): void {
  store.transaction(() => {
    clear()
    insert(count)
  })
}

function clear(): void {
  store.transaction(() => {
    items.delete({ where: {} })
    view.set('selected', 0)
  })
}

export const actions: Actions = {
  run: () => replace(1_000),
  runLots: () => replace(10_000),
  add: () => insert(1_000),
  update: () =>
    store.transaction(() => {
      const all = shown.rows
      for (let at = 0; at < all.length; at += 10) items.set(all[at]!.id, 'label', `${all[at]!.label} !!!`)
    }),
  clear,
  swapRows: () =>
    store.transaction(() => {
      const { 1: one, 998: other } = shown.rows
      if (!one || !other) return
      items.set(one.id, 'place', other.place)
      items.set(other.id, 'place', one.place)
    }),
  select: (id) => view.set('selected', id),
  remove: (id) => items.delete(id),
}
