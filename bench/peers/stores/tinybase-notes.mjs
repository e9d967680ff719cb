// A slice of an index with a listener a row, as its SliceView and RowView do; the join by its queries.
import { createIndexes, createQueries, createStore } from 'tinybase'

const orderOf = (value, id) => `${String(1_000_000_000 - value).padStart(10, '0')} ${id}`

export function openNotes() {
  const store = createStore().setTablesSchema({
    folder: { title: { type: 'string' } },
    note: { folder: { type: 'string' }, rank: { type: 'number' }, text: { type: 'string' } },
  })
  const indexes = createIndexes(store).setIndexDefinition('byFolder', 'note', 'folder')
  const queries = createQueries(store)
  return {
    insert: (folders, notes) => {
      store.transaction(() => {
        for (const { id, ...cells } of folders) store.setRow('folder', id, cells)
        for (const { id, ...cells } of notes) store.setRow('note', id, cells)
      })
    },
    change: ({ notes = [], folders = [] }) => {
      store.transaction(() => {
        for (const { id, ...cells } of notes) store.setPartialRow('note', id, cells)
        for (const { id, title } of folders) store.setCell('folder', id, 'title', title)
      })
    },
    onFolder: (folder, hear) => {
      const ids = () => indexes.getSliceRowIds('byFolder', folder).toSorted()
      const tell = () => {
        hear(ids().map((id) => ({ id, ...store.getRow('note', id) })))
      }
      let rows = []
      const listen = () => {
        for (const listener of rows) store.delListener(listener)
        rows = ids().map((id) => store.addRowListener('note', id, tell))
      }
      listen()
      const slice = indexes.addSliceRowIdsListener('byFolder', folder, () => {
        listen()
        tell()
      })
      tell()
      return () => {
        indexes.delListener(slice)
        for (const listener of rows) store.delListener(listener)
      }
    },
    onJoin: ({ from, limit }, hear) => {
      queries.setQueryDefinition('join', 'note', ({ select, join, where }) => {
        join('folder', 'folder')
        select('rank')
        select('folder', 'title')
        select((cell, id) => orderOf(cell('rank'), id)).as('order')
        where((cell) => cell('rank') >= from)
      })
      const tell = () => {
        const ids = queries.getResultSortedRowIds('join', 'order', false, 0, limit)
        hear(
          ids.map((id) => {
            const { rank, title } = queries.getResultRow('join', id)
            return { id, rank, title }
          }),
        )
      }
      const listener = queries.addResultTableListener('join', tell)
      tell()
      return () => {
        queries.delListener(listener)
        queries.delQueryDefinition('join')
      }
    },
    close: () => {
      queries.destroy()
      indexes.destroy()
      store.delTables()
    },
  }
}
