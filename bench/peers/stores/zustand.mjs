// zustand with its immer and subscribeWithSelector middlewares: one object of rows by id, heard through selectors.
import { createStore } from 'zustand/vanilla'
import { subscribeWithSelector } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { moved, wholeRow } from '../../support/annotations.ts'

const valueOf = (row) => row[moved.group][moved.name]
const within = (value, from, to) => value >= from && value <= to
const same = (a, b) => a.length === b.length && a.every((id, index) => id === b[index])

function createWorld() {
  const store = createStore(
    subscribeWithSelector(
      immer((set) => ({
        rows: {},
        insert: (given) =>
          set((state) => {
            for (const row of given) state.rows[row.id] = wholeRow(row)
          }),
        move: (ids, value) =>
          set((state) => {
            for (const id of ids) state.rows[id][moved.group][moved.name] = value
          }),
      })),
    ),
  )
  const { insert, move } = store.getState()
  const rows = () => store.getState().rows
  return {
    insert,
    set: (id, value) => move([id], value),
    setMany: move,
    row: (id) => rows()[id],
    value: (id) => valueOf(rows()[id]),
    count: () => Object.keys(rows()).length,
    onField: (id, hear) => store.subscribe((state) => valueOf(state.rows[id]), hear),
    onRow: (id, hear) => store.subscribe((state) => state.rows[id], hear),
    onTable: (hear) => store.subscribe((state) => state.rows, hear),
    onQuery: ({ where, from, to, by, limit }, hear) =>
      store.subscribe(
        (state) =>
          Object.values(state.rows)
            .filter((row) => within(row[where.group][where.name], from, to))
            .toSorted((a, b) => b[by.group][by.name] - a[by.group][by.name] || (a.id < b.id ? -1 : 1))
            .slice(0, limit)
            .map(({ id }) => id),
        hear,
        { equalityFn: same, fireImmediately: true },
      ),
    // The rows are never changed in place, so that the ones from before can be put back.
    draft: () => {
      const before = rows()
      return {
        set: (id, value) => move([id], value),
        commit: () => undefined,
        cancel: () => store.setState({ rows: before }),
      }
    },
    close: () => undefined,
  }
}

const copies = 'each set copies the object of 10,000 rows'

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = {
  name: 'zustand + immer',
  validates: false,
  open: async () => createWorld(),
  leftOut: {
    loop: 'it has neither queries nor indexes: a selector over all notes for each subscription, at each change',
    'loop-large': 'as the one over 16 MB',
    join: 'it has no joins',
  },
  smaller: {
    slider: { sets: 200, 'warm-up': 50, why: copies },
    'slider-crowd': { sets: 20, 'warm-up': 5, queries: 20, why: `${copies}, and each query sorts them all` },
    'slider-crowd-same': { sets: 20, 'warm-up': 5, queries: 20, why: `${copies}, and each query sorts them all` },
    query: { changes: 30, 'warm-up': 10, why: `${copies}, and the query sorts them all` },
    'query-large': { changes: 3, 'warm-up': 1, why: `${copies}, and the query sorts them all` },
    draft: { edits: 100, times: 1, why: copies },
  },
}
