import { keyId, type KeyId } from '../changes/index.ts'
import type { SqliteDriver, SqlValue } from '../drivers/index.ts'
import { openDatabase, quoteName } from '../schema/index.ts'
import { applyBase } from './apply-base.ts'
import type { Engine } from './engine.ts'
import { committedRow } from './layers/committed-rows.ts'
import type { RowWrite } from './layers/layer-stacks.ts'
import type { CellId } from './rows/cell-id.ts'
import { compareStored } from './rows/cells.ts'
import { readForeignRows, type StoredRows } from './rows/read-foreign.ts'
import type { TableRows } from './rows/table-rows.ts'

/**
 * Makes the committed state that of a file, which is migrated first if it is older. One ChangeSet tells what differs.
 * Throws what opening such a file throws, ValidationError and ConstraintError for rows that the store would not have
 * taken, whoever made the file; then nothing has changed.
 */
export function importDatabase(engine: Engine, bytes: Uint8Array): void {
  engine.settle('import')
  const other = engine.driver.openMemory(bytes)
  try {
    openDatabase(other, engine.schema)
    const writes = engine.rows.flatMap((rows) => {
      const known = committedRows(engine, rows)
      return differences(rows, known, readForeignRows(other, rows, known))
    })
    applyBase(engine, writes, { what: 'import', origin: 'import', take: false, commits: true })
  } finally {
    other.close()
  }
}

/** The rows as they are committed: what open drafts do to them is not for the file to undo. */
function committedRows(engine: Engine, rows: TableRows): StoredRows {
  const found = readRows(engine.driver, rows)
  for (const stack of engine.layers.of(rows))
    if (stack.committed) found.set(stack.id, committedRow(stack))
    else found.delete(stack.id)
  return found
}

function readRows(driver: SqliteDriver, rows: TableRows): StoredRows {
  const columns = rows.schema.model.columns.map((column) => quoteName(column.name)).join(', ')
  const statement = driver.prepare(`SELECT ${columns} FROM ${rows.base}`)
  try {
    return new Map(statement.all().map((stored) => [keyId(rows.keyOf(stored)), stored]))
  } finally {
    statement.finalize()
  }
}

function differences(rows: TableRows, before: StoredRows, after: StoredRows): RowWrite[] {
  const writes: RowWrite[] = []
  const { model } = rows.schema
  const write = (
    op: RowWrite['op'],
    id: KeyId,
    stored: SqlValue[],
    cells: ReadonlyMap<CellId, { readonly after: SqlValue }>,
  ): void => {
    writes.push({
      rows,
      key: rows.keyOf(stored),
      id,
      op,
      cells: new Map([...cells].map(([cell, change]) => [cell, change.after])),
    })
  }
  for (const [id, stored] of before) if (!after.has(id)) write('delete', id, stored, new Map())
  for (const [id, stored] of after) {
    const known = before.get(id)
    const cells = compareStored(model, known, stored)
    if (!known) write('insert', id, stored, cells)
    else if (cells.size > 0) write('update', id, stored, cells)
  }
  return writes
}
