import { allAtOnce, type Steps } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { ConstraintError } from '../../errors/index.ts'
import { StoredCells, type Column } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { RowWrite } from '../layers/layer-stacks.ts'
import { savepointInSteps } from '../sql/savepoint.ts'
import type { CellId } from './cell-id.ts'
import { insertRows } from './insert-rows.ts'
import { cellsWithoutObject, guardsOf, presenceAt } from './objects.ts'
import { parkedIn } from './parked-value.ts'
import { withMembers } from './rest-members.ts'

/** Rows that are inserted in one step, at most. */
const INSERTS = 200

/**
 * Carries out the store's own writes within the transaction that is open. Their order does not matter: foreign keys are
 * checked at its end, and where unique values get in each other's way (two rows that swap them) they are parked first.
 */
export function writeRows(engine: Engine, writes: readonly RowWrite[]): void {
  allAtOnce(writeRowsInSteps(engine, writes))
}

/** The same in steps. */
export function* writeRowsInSteps(engine: Engine, writes: readonly RowWrite[]): Steps<void> {
  if (writes.length === 0) return
  try {
    yield* savepointInSteps(engine, carryOut(engine, writes))
  } catch (error) {
    if (!(error instanceof ConstraintError) || error.constraint !== 'unique') throw error
    park(writes)
    yield* carryOut(engine, writes)
  }
  for (const write of writes) dropOrphans(write)
}

function* carryOut(engine: Engine, writes: readonly RowWrite[]): Steps<void> {
  for (const write of writes)
    if (write.op === 'update') {
      updateRow(write)
      yield
    }
  for (const write of writes)
    if (write.op === 'delete') {
      deleteRow(write)
      yield
    }
  yield* insertAll(
    engine,
    writes.filter(({ op }) => op === 'insert'),
  )
}

/** In their order, those of one table that follow each other together. */
function* insertAll(engine: Engine, writes: readonly RowWrite[]): Steps<void> {
  let from = 0
  while (from < writes.length) {
    const { rows } = writes[from]!
    let to = from + 1
    while (to < writes.length && to - from < INSERTS && writes[to]!.rows === rows) to++
    insertRows(
      engine,
      rows,
      writes.slice(from, to).map((write) => storedCells(write)),
    )
    from = to
    yield
  }
}

function updateRow({ rows, key, cells }: RowWrite): void {
  const rowid = rows.rowidOf(key)
  if (rowid === undefined || cells.size === 0) return
  const stored = columnValues(rows.schema.model, cells, () => rows.stored(rowid))
  rows.writes.update(...stored.map(([column]) => column)).run([...stored.map(([, value]) => value), rowid])
}

function deleteRow({ rows, key }: RowWrite): void {
  const rowid = rows.rowidOf(key)
  // A cascade may have been faster.
  if (rowid !== undefined) rows.statement(`DELETE FROM ${rows.base} WHERE rowid = ?`).run([rowid])
}

/** What is stored of a row that is new. */
export function storedCells({ rows, cells }: RowWrite): StoredCells {
  const { model } = rows.schema
  const stored = new StoredCells()
  for (const [column, value] of columnValues(model, cells, () => new Array<SqlValue>(model.columns.length).fill(null)))
    if (value !== null) stored.set(column.index, value)
  return stored
}

/** What is stored under an object that is not there goes: somebody has removed the object. */
export function dropOrphans({
  rows,
  key,
  id,
  op,
  cells,
}: Omit<RowWrite, 'cells'> & { readonly cells: ReadonlyMap<CellId, unknown> }): void {
  if (op === 'delete') return
  const { model } = rows.schema
  const concerns = (cell: CellId): boolean => presenceAt(model, cell) !== undefined || guardsOf(model, cell).length > 0
  if (![...cells.keys()].some(concerns)) return
  const rowid = rows.rowidOf(key)
  if (rowid === undefined) return
  const orphans = cellsWithoutObject(model, rows.stored(rowid))
  if (orphans.length > 0)
    updateRow({ rows, key, id, op: 'update', cells: new Map(orphans.map((cell) => [cell, null])) })
}

/** Cells by column: undeclared properties together make up one. */
function columnValues(
  model: RowWrite['rows']['schema']['model'],
  cells: ReadonlyMap<CellId, SqlValue>,
  read: () => SqlValue[],
): [Column, SqlValue][] {
  const values: [Column, SqlValue][] = []
  const members = new Map<string, SqlValue>()
  for (const [cell, value] of cells) {
    if (typeof cell === 'number') values.push([model.columns[cell]!, value])
    else members.set(cell, value)
  }
  if (members.size > 0 && model.rest) values.push([model.rest, withMembers(model, read()[model.rest.index]!, members)])
  return values
}

/** Gives every row that is about to change or go a unique value of nobody's, so that the order of writes is free. */
function park(writes: readonly RowWrite[]): void {
  for (const { rows, key, op, cells } of writes) {
    if (op === 'insert') continue
    const rowid = rows.rowidOf(key)
    if (rowid === undefined) continue
    const { key: keyColumns, unique } = rows.schema.model
    const canPark = (column: Column): boolean =>
      op === 'delete' ? !keyColumns.includes(column) : cells.has(column.index)
    for (const index of unique) {
      const parked = parkedIn(index, canPark, rowid)
      if (parked) rows.writes.update(parked[0]).run([parked[1], rowid])
    }
  }
}
