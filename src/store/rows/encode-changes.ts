import {
  allAtOnce,
  formatPath,
  hiddenPathsOf,
  keyId,
  type Cells,
  type RowChange,
  type Steps,
} from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { NotFoundError, ValidationError } from '../../errors/index.ts'
import { EncodeFailure, encodeColumn, encodeJson, placeOf } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import type { RowWrite } from '../layers/layer-stacks.ts'
import type { CellId } from './cell-id.ts'
import type { TableRows } from './table-rows.ts'

/** The `after` side of row changes as writes in stored values. Throws ValidationError and NotFoundError. */
export function encodeChanges(engine: Engine, changes: readonly RowChange[]): RowWrite[] {
  return allAtOnce(encodeInSteps(engine, changes))
}

/** The same in steps. */
export function* encodeInSteps(engine: Engine, changes: readonly RowChange[]): Steps<RowWrite[]> {
  const writes: RowWrite[] = []
  for (const change of changes) {
    const rows = engine.table(change.table)
    const cells = change.op === 'delete' ? new Map<CellId, SqlValue>() : encodeCells(rows, change, change.after)
    if (change.op === 'insert')
      for (const [n, column] of rows.schema.model.key.entries())
        cells.set(column.index, rows.keyParameters(change.key)[n]!)
    writes.push({ rows, key: change.key, id: keyId(change.key), op: change.op, cells })
    yield
  }
  return writes
}

/** One side of a change in stored values. */
export function encodeCells(rows: TableRows, change: RowChange, side: Cells): Map<CellId, SqlValue> {
  const cells = new Map<CellId, SqlValue>()
  const { model } = rows.schema
  for (const path of Object.keys(side)) {
    const value = side[path]
    const place = placeOf(model, path)
    if (place.kind !== 'object' && place.inner.length > 0)
      throw new NotFoundError(
        `'${path}' of ${model.name} lies inside the value at '${formatPath(place.segments.slice(0, -place.inner.length))}': a change names that as a whole`,
      )
    try {
      if (place.kind === 'undeclared') cells.set(place.path, value === undefined ? null : encodeJson(value))
      else {
        const column = place.kind === 'column' ? place.column : place.node.presence
        if (!column) continue
        cells.set(column.index, encodeColumn(column, column.nullInRest && value === null ? undefined : value))
        if (column.nullInRest) cells.set(place.path, value === null ? 'null' : null)
      }
    } catch (error) {
      if (!(error instanceof EncodeFailure)) throw error
      throw new ValidationError(
        [{ table: model.name, key: change.key, path, keyword: error.keyword, message: error.message }],
        { cause: error },
      )
    }
  }
  if (model.restricted.length > 0)
    for (const path of hiddenPathsOf(side)) {
      const column = model.restricted.find((one) => one.path === path)
      if (column) cells.set(column.index, column.hiddenMark!)
    }
  return cells
}
