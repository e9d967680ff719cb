import type { SqliteDriver } from '../drivers/index.ts'
import { RowcastError } from '../errors/index.ts'
import { createDatabase, isObject, openDatabase, type RowObject, type Schema } from '../schema/index.ts'
import { describe } from './describe.ts'
import { Engine } from './engine.ts'
import type { HistoryOptions } from './history-log.ts'
import { RowWriter } from './rows/row-writer.ts'
import { StoreHandle } from './store-handle.ts'

/** What a store is opened with. */
export interface OpenOptions {
  readonly driver: SqliteDriver
  readonly schema: Schema
  /** The file that the driver was opened on, if it was. */
  readonly file: Uint8Array | undefined
  /** Rows to begin with, by table. */
  readonly rows: { readonly [table: string]: unknown } | undefined
  readonly readOnly: boolean
  readonly history: HistoryOptions | undefined
}

/** Makes or opens the database, and the store over it. Throws what `createStore` says; the driver is the caller's to close. */
export function openStore({ driver, schema, file, rows, readOnly, history }: OpenOptions): StoreHandle {
  if (file || hasTables(driver)) openDatabase(driver, schema, { readOnly })
  else createDatabase(driver, schema)
  const engine = new Engine(driver, schema)
  if (rows) insertInitial(engine, rows)
  engine.readOnly = readOnly
  return new StoreHandle(engine, { history })
}

/** In one transaction, whatever the order of tables: references are checked at its end. */
function insertInitial(engine: Engine, data: { readonly [table: string]: unknown }): void {
  engine.write(undefined, { origin: 'import' }, () => {
    for (const [name, given] of Object.entries(data)) {
      if (given === undefined) continue
      const rows = engine.table(name)
      const writer = new RowWriter(engine, rows, undefined)
      const { singleton } = rows.schema.model
      if (singleton ? !isObject(given) : !Array.isArray(given))
        throw new RowcastError(
          'data',
          `data.${name}: expected ${singleton ? 'an object, the row' : 'an array of rows'}, not ${describe(given)}`,
        )
      const list = (singleton ? [given] : given) as readonly RowObject[]
      for (const [n, row] of list.entries())
        if (!isObject(row))
          throw new RowcastError('data', `data.${name}[${n}]: expected an object, the row, not ${describe(row)}`)
      if (singleton) writer.upsert(list)
      else writer.insert(list)
    }
  })
}

function hasTables(driver: SqliteDriver): boolean {
  const statement = driver.prepare('SELECT count(*) FROM sqlite_schema')
  try {
    return Number(statement.get()![0]) > 0
  } finally {
    statement.finalize()
  }
}
