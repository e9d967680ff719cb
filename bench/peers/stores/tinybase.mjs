// TinyBase: a table of flat cells under a schema with defaults; checkpoints, its undo, serve as the draft.
import { createCheckpoints, createQueries, createStore } from 'tinybase'
import { leaves, moved } from '../../support/annotations.ts'
import { openNotes } from './tinybase-notes.mjs'

const table = 'annotation'
const schema = {
  [table]: Object.fromEntries(leaves.map(({ column }) => [column, { type: 'number', default: 1 }])),
}

const cellsOf = (row) => {
  const cells = {}
  for (const [group, values] of Object.entries(row)) {
    if (group === 'id') continue
    for (const [name, value] of Object.entries(values)) cells[`${group}_${name}`] = value
  }
  return cells
}

// Rows are sorted by one cell, and equal ones come in no certain order: so the order by two is one text, ascending.
const orderOf = (value, id) => `${String(1_000_000_000 - value).padStart(10, '0')} ${id}`

function open() {
  const store = createStore().setTablesSchema(schema)
  const queries = createQueries(store)
  let queried = 0
  const listen = (listener) => () => store.delListener(listener)

  return {
    insert: (rows) => {
      store.transaction(() => {
        for (const row of rows) store.setRow(table, row.id, cellsOf(row))
      })
    },
    set: (id, value) => {
      store.setCell(table, id, moved.column, value)
    },
    setMany: (ids, value) => {
      store.transaction(() => {
        for (const id of ids) store.setCell(table, id, moved.column, value)
      })
    },
    row: (id) => store.getRow(table, id),
    value: (id) => store.getCell(table, id, moved.column),
    count: () => store.getRowCount(table),
    onField: (id, hear) =>
      listen(
        store.addCellListener(table, id, moved.column, (_store, _table, _row, _cell, value) => {
          hear(value)
        }),
      ),
    onRow: (id, hear) =>
      listen(
        store.addRowListener(table, id, () => {
          hear(store.getRow(table, id))
        }),
      ),
    onTable: (hear) =>
      listen(
        store.addTableListener(table, () => {
          hear()
        }),
      ),
    onQuery: ({ where: { column }, from, to, by, limit }, hear) => {
      const query = `query${queried++}`
      queries.setQueryDefinition(query, table, ({ select, where }) => {
        select((cell, id) => orderOf(cell(by.column), id)).as('order')
        where((cell) => cell(column) >= from && cell(column) <= to)
      })
      const listener = queries.addResultSortedRowIdsListener(
        query,
        'order',
        false,
        0,
        limit,
        (_queries, _query, _cell, _descending, _offset, _limit, ids) => {
          hear(ids)
        },
      )
      hear(queries.getResultSortedRowIds(query, 'order', false, 0, limit))
      return () => {
        queries.delListener(listener)
        queries.delQueryDefinition(query)
      }
    },
    draft: () => {
      // Checkpoints follow every change of the store, so they are there only while a draft is open.
      const checkpoints = createCheckpoints(store)
      checkpoints.addCheckpoint()
      return {
        set: (id, value) => {
          store.setCell(table, id, moved.column, value)
        },
        commit: () => {
          checkpoints.addCheckpoint()
          checkpoints.destroy()
        },
        cancel: () => {
          checkpoints.addCheckpoint()
          checkpoints.goBackward()
          checkpoints.destroy()
        },
      }
    },
    close: () => {
      queries.destroy()
      store.delTables()
    },
  }
}

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = {
  name: 'TinyBase 10',
  // Its schema has types and defaults, but no ranges.
  validates: false,
  smaller: {
    query: { 'warm-up': 1_000, why: 'each change takes over 1 ms' },
    'query-large': { changes: 30, 'warm-up': 10, why: 'each change takes 15 ms' },
    'slider-crowd': { queries: 50, why: 'each query takes 0.1 s to define over 10,000 rows' },
    'slider-crowd-same': { queries: 50, why: 'each query takes 0.1 s to define over 10,000 rows' },
  },
  open: () => Promise.resolve(open()),
  openNotes: () => Promise.resolve(openNotes()),
}
