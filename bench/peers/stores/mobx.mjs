// MobX: a map of deep observable rows, changed in actions, heard through observers, reactions and computed values. What it
// has nothing for (hearing of the table, a draft) is a counter and an undo list by hand.
import { action, computed, observable, observe, reaction, runInAction } from 'mobx'
import { moved, wholeRow } from '../../support/annotations.ts'
import { openNotes } from './mobx-notes.mjs'

const valueOf = (row) => row[moved.group][moved.name]
const within = (value, from, to) => value >= from && value <= to

function createWorld() {
  const rows = observable.map(new Map(), { deep: false })
  const version = observable.box(0)
  const changed = () => version.set(version.get() + 1)
  const put = (id, value) => (rows.get(id)[moved.group][moved.name] = value)
  const set = action((id, value) => {
    put(id, value)
    changed()
  })
  return {
    insert: action((given) => {
      for (const row of given) rows.set(row.id, observable(wholeRow(row)))
      changed()
    }),
    set,
    setMany: action((ids, value) => {
      for (const id of ids) put(id, value)
      changed()
    }),
    row: (id) => rows.get(id),
    value: (id) => valueOf(rows.get(id)),
    count: () => rows.size,
    // Four times as fast as a reaction for each.
    onField: (id, hear) => observe(rows.get(id)[moved.group], moved.name, ({ newValue }) => hear(newValue)),
    // An observer of each group: a reaction that reads all the row would depend on 100 properties one by one.
    onRow: (id, hear) => {
      const row = rows.get(id)
      const stops = Object.values(row)
        .filter((group) => typeof group === 'object')
        .map((group) => observe(group, () => hear(row)))
      return () => {
        for (const stop of stops) stop()
      }
    },
    onTable: (hear) => reaction(() => version.get(), hear),
    onQuery: ({ where, from, to, by, limit }, hear) => {
      const ids = computed(() =>
        [...rows.values()]
          .filter((row) => within(row[where.group][where.name], from, to))
          .map((row) => ({ id: row.id, value: row[by.group][by.name] }))
          .toSorted((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .map(({ id }) => id),
      )
      return reaction(() => ids.get(), hear, { fireImmediately: true })
    },
    draft: () => {
      const before = new Map()
      return {
        set: (id, value) => {
          if (!before.has(id)) before.set(id, valueOf(rows.get(id)))
          set(id, value)
        },
        commit: () => before.clear(),
        cancel: () =>
          runInAction(() => {
            for (const [id, value] of before) put(id, value)
            changed()
          }),
      }
    },
    close: () => undefined,
  }
}

/** @type {import('../../stores/contender.ts').Contender} */
export const contender = {
  name: 'MobX 7',
  validates: false,
  open: async () => createWorld(),
  openNotes: async () => openNotes(),
  leftOut: {
    join: 'it has no joins: a note would hold its folder',
  },
  smaller: {
    'slider-crowd': { queries: 20, why: 'each query depends on every row by itself; 1,000 are more than the memory' },
    'slider-crowd-same': {
      queries: 20,
      sets: 5,
      'warm-up': 2,
      why: 'each query depends on every row by itself, and filters and sorts all of them at each change',
    },
    query: { changes: 100, 'warm-up': 20, why: 'each change filters and sorts all rows' },
    'query-large': { changes: 10, 'warm-up': 2, why: 'each change filters and sorts all rows' },
  },
}
