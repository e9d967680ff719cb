import { quoteName, type Column, type TableModel } from '../schema/index.ts'

/** How many values one call of the delete function carries: SQLite limits a function's arguments. */
const DELETE_CHUNK = 90
/** A table's index and a column's index in one number. */
export const COLUMN_BITS = 12

/**
 * The TEMP triggers that tell of every change of a base table. TEMP, because a file with triggers that call a function
 * of ours could be written by no other program. One trigger a column: passing what changed alone is an order cheaper
 * than passing a whole row (docs/decisions/001).
 */
export function captureTriggerSql(table: TableModel): string[] {
  const base = `main.${quoteName(table.base)}`
  const trigger = (suffix: string): string => `temp.${quoteName(`${table.name}__on_${suffix}`)}`
  const deleted = deleteCalls(table)
  const statements = [
    `CREATE TRIGGER ${trigger('insert')} AFTER INSERT ON ${base} BEGIN SELECT rowcast_insert(${table.index}, NEW.rowid); END`,
    `CREATE TRIGGER ${trigger('delete')} AFTER DELETE ON ${base} BEGIN ${deleted}; END`,
  ]
  const moved = table.key
    .map((column) => `NEW.${quoteName(column.name)} IS NOT OLD.${quoteName(column.name)}`)
    .join(' OR ')
  const stayed = table.key
    .map((column) => `NEW.${quoteName(column.name)} IS OLD.${quoteName(column.name)}`)
    .join(' AND ')
  statements.push(
    // A row under another key is another row.
    `CREATE TRIGGER ${trigger('rekey')} AFTER UPDATE OF ${table.key.map((column) => quoteName(column.name)).join(', ')} ON ${base} WHEN ${moved} ` +
      `BEGIN ${deleted}; SELECT rowcast_insert(${table.index}, NEW.rowid); END`,
  )
  for (const column of table.columns) {
    if (table.key.includes(column)) continue
    const name = quoteName(column.name)
    statements.push(
      `CREATE TRIGGER ${trigger(`update_${column.name}`)} AFTER UPDATE OF ${name} ON ${base} WHEN OLD.${name} IS NOT NEW.${name} AND ${stayed} ` +
        `BEGIN SELECT rowcast_update(${(table.index << COLUMN_BITS) + column.index}, NEW.rowid, ${passed(column, 'OLD')}, ${passed(column, 'NEW')}); END`,
    )
  }
  return statements
}

/** The functions for deletes, by their number of values. */
export function deleteChunks(table: TableModel): { readonly from: number; readonly size: number }[] {
  const chunks: { from: number; size: number }[] = []
  for (let from = 0; from < table.columns.length; from += DELETE_CHUNK)
    chunks.push({ from, size: Math.min(DELETE_CHUNK, table.columns.length - from) })
  return chunks
}

function deleteCalls(table: TableModel): string {
  return deleteChunks(table)
    .map(({ from, size }) => {
      const values = table.columns.slice(from, from + size).map((column) => passed(column, 'OLD'))
      return `SELECT rowcast_delete_${size}(${table.index}, OLD.rowid, ${from}, ${values.join(', ')})`
    })
    .join('; ')
}

/** A 64-bit integer goes through a function as text: as a number it would be rounded. */
function passed(column: Column, side: 'OLD' | 'NEW'): string {
  const value = `${side}.${quoteName(column.name)}`
  return column.kind === 'int64' ? `CAST(${value} AS TEXT)` : value
}
