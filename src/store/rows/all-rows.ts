import type { Key } from '../../changes/index.ts'
import { quoteName } from '../../schema/index.ts'
import { compareStored, type CellChange } from './cells.ts'
import type { CellId } from './cell-id.ts'
import type { TableRows } from './table-rows.ts'

/** Every row of a table with its stored cells, in no order or that of the keys, read one by one and not kept. */
export function* rowsOf(
  rows: TableRows,
  order: 'any' | 'key' = 'any',
): Generator<{ readonly key: Key; readonly cells: ReadonlyMap<CellId, CellChange> }> {
  const { model } = rows.schema
  const columns = model.columns.map((column) => quoteName(column.name)).join(', ')
  const keys = model.key.map((column) => quoteName(column.name)).join(', ')
  const ordered = order === 'key' ? ` ORDER BY ${keys}` : ''
  for (const stored of rows.statement(`SELECT ${columns} FROM ${rows.base}${ordered}`).iterate())
    yield { key: rows.keyOf(stored), cells: compareStored(model, undefined, stored) }
}
