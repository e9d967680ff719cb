// rowcast as it is built: the package's own entry points.
import { createStore, defineSchema, type Schema, type SchemaInput, type Store, type Workspace } from 'rowcast'
import { createMirror } from 'rowcast/webgl'
import { annotations, moved, narrowSchemaInput, schemaInput } from '../../support/annotations.ts'
import type { Contender, World } from '../contender.ts'
import { openNotes } from './rowcast-notes.ts'

const plain = defineSchema(schemaInput)
/** The order of the live query as an index, where live queries are the work. */
const withIndex = (input: SchemaInput): Schema =>
  defineSchema({ ...input, tables: { annotation: { ...input.tables['annotation']!, indexes: [[moved.path]] } } })
const indexed = withIndex(schemaInput)

function schemaFor(work: string | undefined): Schema {
  if (work === 'growth narrow') return withIndex(narrowSchemaInput)
  return work === 'query' || work === 'growth' ? indexed : plain
}

const setIn = (workspace: Pick<Workspace<SchemaInput>, 'table'>): ((id: string, value: number) => void) => {
  const table = workspace.table('annotation')
  return (id, value) => table.set(id, moved.path, value)
}

function worldOf(store: Store): World {
  const table = annotations(store)
  const set = setIn(store)
  return {
    insert: (rows) => void table.insert(rows),
    set,
    setMany: (ids, value) =>
      store.transaction(() => {
        for (const id of ids) table.set(id, moved.path, value)
      }),
    row: (id) => table.get(id),
    value: (id) => (table.get(id) as { icon: { p0: number } }).icon.p0,
    count: () => table.count(),
    onField: (id, hear) => {
      const subscription = table.field$(id, moved.path).subscribe((value) => hear(value as number))
      return () => subscription.unsubscribe()
    },
    onRow: (id, hear) => {
      const subscription = table.row$(id).subscribe(hear)
      return () => subscription.unsubscribe()
    },
    onTable: (hear) => {
      const subscription = table.changes$.subscribe(() => hear())
      return () => subscription.unsubscribe()
    },
    onQuery: ({ where, from, to, by, limit }, hear) => {
      const live = table.live({ where: { [where.path]: { gte: from, lte: to } }, orderBy: [`-${by.path}`], limit })
      const subscription = live.rows$.subscribe((rows) => hear(rows.map(({ id }) => id as string)))
      return () => {
        subscription.unsubscribe()
        live.close()
      }
    },
    draft: () => {
      const draft = store.draft()
      return { set: setIn(draft), commit: () => void draft.commit(), cancel: () => draft.cancel() }
    },
    mirror: () => {
      const mirror = createMirror(store, 'annotation', { attributes: { size: { paths: [moved.path], type: 'f32' } } })
      return {
        take: () => (mirror.takeDirty().size ?? []).reduce((sum, [from, to]) => sum + to - from, 0),
        stop: () => mirror.close(),
      }
    },
    export: () => store.export(),
    close: () => store.close(),
  }
}

export const rowcast: Contender = {
  name: 'rowcast',
  validates: true,
  open: async (work) => worldOf(await createStore({ schema: schemaFor(work) })),
  openFile: async (data, work) => worldOf(await createStore({ schema: schemaFor(work), data })),
  openNotes,
}
