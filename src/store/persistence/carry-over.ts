import type { SqliteDriver } from '../../drivers/index.ts'
import { defineSchema, readMetadata, type Schema, type SchemaInput } from '../../schema/index.ts'
import { openStore } from '../open-store.ts'
import type { SyncTransport } from '../running-sync.ts'
import { encodeRecord, type KeptContents } from './journal.ts'
import { repeatLocally } from './keep-locally.ts'
import type { PersistedContents } from './persistence.ts'

/**
 * Makes one file of what was kept by an older version of the schema: its records name tables and properties as they were
 * called then, and can be laid over the snapshot only before it is migrated. Gives `undefined` where it is of this version.
 * The driver is closed where another snapshot comes of it. What lies in the persistence is not touched.
 *
 * @param driver opened on the snapshot
 */
export function carryOver(
  driver: SqliteDriver,
  schema: Schema,
  contents: PersistedContents,
  sync: { readonly transport: SyncTransport; readonly database: string } | undefined,
): KeptContents | undefined {
  const { snapshot, records } = contents
  const metadata = snapshot && readMetadata(driver)
  if (!metadata || metadata.schemaVersion >= schema.version) return undefined
  // Nothing to lay together; but what comes next is not to lie on a snapshot of before.
  if (records.length === 0) return { snapshot, records, outdated: true }
  const before = defineSchema<SchemaInput>(metadata.definition)
  const store = openStore({
    driver,
    schema: before,
    file: snapshot,
    rows: undefined,
    readOnly: false,
    history: { limit: 0 },
  })
  try {
    const internals = store.internals()
    if (sync) {
      const { database, transport } = sync
      const folded = transport.carryOver(internals, { database, contents })
      return { snapshot: folded.snapshot, records: folded.records.map(encodeRecord), outdated: true }
    }
    repeatLocally(internals, contents)
    return { snapshot: internals.exportFile(), records: [], outdated: true }
  } finally {
    store.engine.close()
  }
}
