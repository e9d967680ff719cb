import { createStore, defineSchema, sqlJsDriver, type SqliteDriverFactory } from 'rowcast'
import type { Joined, Note, Notes } from '../notes.ts'
import { notesInput } from '../notes.ts'

const join = `SELECT note.id, note.rank, folder.title FROM note JOIN folder ON folder.id = note.folder
  WHERE note.rank >= ? ORDER BY note.rank DESC, note.id LIMIT ?`

/** The driver that is used by default, counting how often the join runs. */
function counting(counted: { runs: number }): SqliteDriverFactory {
  const factory = sqlJsDriver()
  return {
    open: async (bytes) => {
      const driver = await factory.open(bytes)
      const prepare = driver.prepare.bind(driver)
      driver.prepare = (sql) => {
        const statement = prepare(sql)
        if (!sql.includes('note JOIN folder') || sql.startsWith('EXPLAIN')) return statement
        const all = statement.all.bind(statement)
        statement.all = (parameters) => {
          counted.runs++
          return all(parameters)
        }
        return statement
      }
      return driver
    },
  }
}

/** rowcast: a live query of the table for a folder, one in SQL for the join. */
export async function openNotes(): Promise<Notes> {
  const counted = { runs: 0 }
  const store = await createStore({ schema: defineSchema(notesInput), driver: counting(counted) })
  const [folders, notes] = [store.table('folder'), store.table('note')]
  return {
    insert: (givenFolders, givenNotes) =>
      store.transaction(() => {
        folders.insert(givenFolders)
        notes.insert(givenNotes)
      }),
    change: (change) =>
      store.transaction(() => {
        for (const { id, ...patch } of change.notes ?? []) notes.update(id, patch)
        for (const { id, title } of change.folders ?? []) folders.update(id, { title })
      }),
    onFolder: (folder, hear) => {
      const live = notes.live({ where: { folder }, orderBy: ['id'] })
      const subscription = live.rows$.subscribe((rows: readonly Note[]) => hear(rows))
      return () => {
        subscription.unsubscribe()
        live.close()
      }
    },
    onJoin: ({ from, limit }, hear) => {
      const live = store.live<Joined>({ sql: join, params: [from, limit] })
      const subscription = live.rows$.subscribe(hear)
      return () => {
        subscription.unsubscribe()
        live.close()
      }
    },
    runs: () => counted.runs,
    close: () => store.close(),
  }
}
