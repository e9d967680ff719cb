import { databaseName, IndexedDbMedium } from './indexed-db-medium.ts'
import { lockIndexedDb } from './indexed-db-persistence.ts'
import type { OpfsMedium } from './opfs-medium.ts'
import { PersistenceError } from './persistence-error.ts'

/**
 * Moves what IndexedDB keeps of a name, from when there was no OPFS here, into an OPFS medium that is empty. One step of
 * the medium takes it all, and only then the database is removed: a crash leaves it in one of the two, or whole in both.
 * Rejects with `persistence-in-use` where another session has the database open.
 */
export async function moveFromIndexedDb(name: string, medium: OpfsMedium): Promise<void> {
  if (!(await hasDatabase(name))) return
  const release = await lockIndexedDb(name)
  let source: IndexedDbMedium
  try {
    source = await IndexedDbMedium.open(name, release)
  } catch (error) {
    release()
    throw error
  }
  try {
    const { snapshot, records, damage } = await source.load()
    // What is damaged is dealt with where it is.
    if (damage) throw new PersistenceError('persistence-damaged', damage.findings.join('; '))
    if (snapshot || records.length > 0) await medium.replace(snapshot, records)
  } catch (error) {
    await source.close()
    throw error
  }
  // OPFS has it now, and is asked first from here on: a database that can't be removed is only in the way. It is told.
  await source.remove().catch(reportError)
}

/** Where a browser doesn't list its databases, any may be there. */
async function hasDatabase(name: string): Promise<boolean> {
  if (typeof indexedDB === 'undefined') return false
  if (!('databases' in indexedDB)) return true
  const databases = await indexedDB.databases()
  return databases.some((database) => database.name === databaseName(name))
}
