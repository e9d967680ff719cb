import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { Schema, Store } from 'rowcast'
import { createKysely, exec, live, run, type ColumnsOf, type DatabaseOf } from 'rowcast/kysely'
import { test } from 'vitest'
import type { schema } from '../kysely/map-schema.ts'
import { type Equal, expectType } from '../support/expect-type.ts'

type Map = typeof schema extends Schema<infer S> ? S : never
type Annotation = ColumnsOf<Map, 'annotation'>

declare const store: Store<Map>
declare const loaded: Store

test('a table is read with one property a column, as SQL sees it', () => {
  expectType<
    Equal<
      Selectable<Annotation>,
      {
        id: number
        layerId: string
        kind: 'pin' | 'area'
        visible: number
        big: number | bigint | null
        image: Uint8Array | null
        either: string | number | null
        note: string | null
        text_value: string
        text_font_size: number
        position_x: number
        position_y: number
        position_z: number | null
        link: number | null
        link_url: string | null
        shape: string | null
        range: string | null
        counts: number | null
        counts_all: number | null
        parent: number | null
        parent_name: string | null
        parent_parent: string | null
        points: string
        meta: string | null
        anything: string | null
        _rest: string | null
      }
    >
  >()
  expectType<Equal<Selectable<ColumnsOf<Map, 'layer'>>, { id: string; name: string }>>()
  expectType<Equal<Selectable<ColumnsOf<Map, 'scene'>>, { title: string; grid: number | null }>>()
})

test('an insert needs what the schema requires and gives no default to', () => {
  type Required<T> = { [K in keyof T as undefined extends T[K] ? never : K]: true }
  expectType<Equal<keyof Required<Insertable<Annotation>>, 'id' | 'layerId' | 'position_x' | 'position_y'>>()
  expectType<Equal<Insertable<Annotation>['visible'], number | boolean | null | undefined>>()
  expectType<Equal<Insertable<Annotation>['position_x'], number>>()
})

test('an update may put a column with a default back to it by NULL, not one that is required', () => {
  expectType<Equal<Updateable<Annotation>['text_font_size'], number | null | undefined>>()
  expectType<Equal<Updateable<Annotation>['layerId'], string | undefined>>()
  expectType<Equal<Updateable<Annotation>['big'], number | bigint | null | undefined>>()
})

test("rows have the query's own type", () => {
  const db = createKysely(store)
  expectType<Equal<typeof db, Kysely<DatabaseOf<Map>>>>()
  const query = db
    .selectFrom('annotation')
    .innerJoin('layer', 'layer.id', 'annotation.layerId')
    .select(['annotation.id', 'layer.name as layer', 'text_font_size'])
  const rows = run(store, query)
  expectType<Equal<(typeof rows)[number], { id: number; layer: string; text_font_size: number }>>()
  const following = live(store, query)
  expectType<Equal<(typeof following.rows)[number], (typeof rows)[number]>>()
  const written = exec(store, db.insertInto('layer').values({ id: 'a', name: 'A' }))
  expectType<Equal<typeof written.rows, never[]>>()
  const returned = exec(store, db.deleteFrom('layer').returning('name'))
  expectType<Equal<typeof returned.rows, { name: string }[]>>()
})

test("a table, column or value that isn't in the schema doesn't compile", () => {
  const db = createKysely(store)
  // @ts-expect-error there is no such table
  db.selectFrom('nothing')
  // @ts-expect-error there is no such column
  db.selectFrom('annotation').select('text')
  // @ts-expect-error a free-form object has no columns of its own
  db.selectFrom('annotation').select('shape_radius')
  // @ts-expect-error a closed table has no undeclared properties
  db.selectFrom('layer').select('_rest')
  // @ts-expect-error size is a number
  db.selectFrom('annotation').where('text_font_size', '=', 'large')
  // @ts-expect-error not one of the enum
  db.updateTable('annotation').set({ kind: 'line' })
  // @ts-expect-error name is missing
  db.insertInto('layer').values({ id: 'a' })
})

test('a schema that is loaded takes any table and column', () => {
  const db = createKysely(loaded)
  const rows = run(loaded, db.selectFrom('whatever').select('column'))
  expectType<Equal<(typeof rows)[number], { column: string | number | bigint | Uint8Array | null }>>()
})
