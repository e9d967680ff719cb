// LiveStore in memory: events that materializers write to SQLite, and reactive queries over it. It has no draft.
import { makeAdapter } from '@livestore/adapter-node'
import { LogLevel } from '@livestore/utils/effect'
import { createStorePromise, Events, makeSchema, queryDb, Schema, State } from '@livestore/livestore'
import { leaves, moved } from '../../support/annotations.ts'

const annotation = State.SQLite.table({
  name: 'annotation',
  columns: {
    id: State.SQLite.text({ primaryKey: true }),
    ...Object.fromEntries(leaves.map(({ column }) => [column, State.SQLite.integer({ default: 1 })])),
  },
  indexes: [{ name: 'annotation_moved', columns: [moved.column] }],
})
const value = Schema.Number.pipe(Schema.between(0, 1_000_000))
const Row = Schema.Struct({
  id: Schema.String,
  ...Object.fromEntries(leaves.map(({ column }) => [column, Schema.optional(value)])),
})
const events = {
  created: Events.synced({ name: 'v1.AnnotationCreated', schema: Row }),
  moved: Events.synced({ name: 'v1.AnnotationMoved', schema: Schema.Struct({ id: Schema.String, value }) }),
}
const materializers = State.SQLite.materializers(events, {
  'v1.AnnotationCreated': (row) => annotation.insert(row),
  'v1.AnnotationMoved': ({ id, value: to }) => annotation.update({ [moved.column]: to }).where({ id }),
})
const schema = makeSchema({ events, state: State.SQLite.makeState({ tables: { annotation }, materializers }) })

const cellsOf = (row) => {
  const cells = { id: row.id }
  for (const [group, values] of Object.entries(row)) {
    if (group === 'id') continue
    for (const [name, cell] of Object.entries(values)) cells[`${group}_${name}`] = cell
  }
  return cells
}

let opened = 0

async function open() {
  const store = await createStorePromise({
    schema,
    adapter: makeAdapter({ storage: { type: 'in-memory' } }),
    storeId: `bench-${opened++}`,
    disableDevtools: true,
    logLevel: LogLevel.Warning,
  })
  // A subscription tells its result whenever its table has changed, also where the result is the same.
  const changed = (query, of, hear) => {
    let before = of(store.query(query))
    return store.subscribe(
      query,
      (result) => {
        const now = of(result)
        if (now === before) return
        before = now
        hear(result)
      },
      { skipInitialRun: true },
    )
  }
  const one = (id) => annotation.where({ id }).first()
  const fieldOf = (id) => annotation.select(moved.column).where({ id }).first()

  return {
    insert: (rows) => {
      store.commit(...rows.map((row) => events.created(cellsOf(row))))
    },
    set: (id, to) => {
      store.commit(events.moved({ id, value: to }))
    },
    setMany: (ids, to) => {
      store.commit(...ids.map((id) => events.moved({ id, value: to })))
    },
    row: (id) => store.query(one(id)),
    value: (id) => store.query(fieldOf(id)),
    count: () => store.query(annotation.count()),
    onField: (id, hear) => changed(queryDb(fieldOf(id), { label: `field ${id}`, deps: [id] }), (found) => found, hear),
    // No row is the same object twice, so the text tells whether it changed.
    onRow: (id, hear) => changed(queryDb(one(id), { label: `row ${id}`, deps: [id] }), JSON.stringify, hear),
    onTable: (hear) =>
      store.subscribe(queryDb(annotation.count(), { label: 'table' }), () => hear(), { skipInitialRun: true }),
    onQuery: ({ where, from, to, by, limit }, hear) =>
      store.subscribe(
        queryDb(
          annotation
            .select('id')
            .where(where.column, '>=', from)
            .where(where.column, '<=', to)
            .orderBy([
              { col: by.column, direction: 'desc' },
              { col: 'id', direction: 'asc' },
            ])
            .limit(limit),
          { label: 'query', deps: [where.column, from, to, by.column, limit] },
        ),
        hear,
      ),
    close: () => store.shutdownPromise(),
  }
}

const slow = 'about 1 ms for each row inserted, and each change of a table runs all queries of it again'
const few = { rows: 1_000, why: slow }

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = {
  name: 'LiveStore 0.4 (memory)',
  validates: true,
  leftOut: {
    'query-large': slow,
    'slider-crowd': 'each change of a table runs all queries of it again: 0.1 to 1 s beside 1,000 row subscribers',
    'slider-crowd-same': 'as beside queries of other fields',
    loop: slow,
    'loop-large': slow,
    join: slow,
    draft: 'it has no draft',
    'heap-large': slow,
  },
  smaller: {
    insert: { ...few, times: 1 },
    slider: { ...few, sets: 50, 'warm-up': 20 },
    mount: { ...few, times: 1 },
    query: { ...few, changes: 50, 'warm-up': 20 },
    transaction: { ...few, moved: 100, times: 1, 'warm-up': 1 },
    heap: few,
    leak: { rounds: 100, first: 10, why: slow },
  },
  open,
}
