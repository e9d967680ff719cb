import type { Key } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { StoredCells } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { takenValue } from '../layers/taken-values.ts'
import type { TableRows } from './table-rows.ts'

/** How many rows one statement inserts, where so many in a row have the same columns: half the time of one by one. */
const AT_ONCE = 40
/** SQLite takes 32,766 parameters. */
const MAX_PARAMETERS = 30_000

/** Inserts rows, in their order, and tells their keys. */
export function insertRows(engine: Engine, rows: TableRows, list: readonly StoredCells[]): Key[] {
  let from = 0
  while (from < list.length) {
    const most = Math.min(AT_ONCE, Math.floor(MAX_PARAMETERS / list[from]!.columns.length))
    const alike = countAlike(list, from, most)
    if (alike < most) insertOneByOne(engine, rows, list.slice(from, from + alike))
    else insertAtOnce(engine, rows, list.slice(from, from + alike))
    from += alike
  }
  return list.map((cells) => rows.keyOfCells(cells))
}

function insertOneByOne(engine: Engine, rows: TableRows, list: readonly StoredCells[]): void {
  for (const cells of list) {
    try {
      rows.writes.insert(cells).run(cells.values)
    } catch (error) {
      throw takenValue(engine, rows, error, ({ index }) => cells.get(index) ?? null)
    }
    engine.noteInserted(rows.schema.model.index, [cells])
  }
}

function insertAtOnce(engine: Engine, rows: TableRows, list: readonly StoredCells[]): void {
  const { mark } = engine
  const parameters: SqlValue[] = []
  for (const cells of list) for (const value of cells.values) parameters.push(value)
  try {
    rows.writes.insert(list[0]!, list.length).run(parameters)
  } catch {
    // It has undone itself. One by one, the row at fault is found.
    engine.forgetSince(mark)
    insertOneByOne(engine, rows, list)
    return
  }
  engine.noteInserted(rows.schema.model.index, list)
}

/** How many rows from one on have the columns that it has, up to a number. */
function countAlike(list: readonly StoredCells[], from: number, most: number): number {
  let count = 1
  while (count < most && from + count < list.length && list[from + count]!.sharesColumns(list[from]!)) count++
  return count
}
