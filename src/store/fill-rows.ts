import { HIDDEN, withoutHidden } from '../changes/index.ts'
import { ConstraintError } from '../errors/index.ts'
import { EncodeFailure, encodeColumn, placeOf, StoredCells } from '../schema/index.ts'
import { outsideReferences } from './apply-base.ts'
import type { Engine } from './engine.ts'
import type { Arrival } from './layers/arrival.ts'
import { encodeChanges } from './rows/encode-changes.ts'
import { insertRows } from './rows/insert-rows.ts'
import { cellsWithoutObject } from './rows/objects.ts'
import type { TableRows } from './rows/table-rows.ts'
import { storedCells } from './rows/write-rows.ts'

/** Rows of one table that follow each other. */
interface Run {
  readonly rows: TableRows
  readonly list: StoredCells[]
}

/**
 * Inserts rows that a server has confirmed, where nothing is pending or in a draft and none of them is there yet: nothing
 * is compared, and many go in with one statement. Gives `false` where that is not so; then nothing has changed.
 */
export function fillRows(engine: Engine, arrivals: readonly Arrival[]): boolean {
  if (!engine.layers.empty) return false
  const runs = runsOf(engine, arrivals)
  if (!runs) return false
  try {
    outsideReferences(engine, () =>
      engine.writeSettled(
        'an arrival',
        () => {
          for (const { rows, list } of runs) insertRows(engine, rows, list)
        },
        (visible) => ({ set: engine.changeSet(visible, { origin: 'remote' }), committed: undefined }),
      ),
    )
  } catch (error) {
    // One is there, or has a unique value of one that is.
    if (error instanceof ConstraintError) return false
    throw error
  }
  return true
}

/** `undefined` where they are not all rows to insert as they are. */
function runsOf(engine: Engine, arrivals: readonly Arrival[]): Run[] | undefined {
  const runs: Run[] = []
  for (const arrival of arrivals) {
    const rows = engine.table(arrival.table)
    const cells = arrival.op === 'put' && !rows.schema.model.singleton ? cellsOf(engine, rows, arrival) : undefined
    if (!cells) return undefined
    const last = runs.at(-1)
    if (last?.rows === rows) last.list.push(cells)
    else runs.push({ rows, list: [cells] })
  }
  return runs
}

function cellsOf(engine: Engine, rows: TableRows, arrival: Arrival): StoredCells | undefined {
  const cells = plainCells(rows, arrival) ?? anyCells(engine, arrival)
  const { model, codec } = rows.schema
  return rows.hasObjects && cellsWithoutObject(model, codec.spread(cells)).length > 0 ? undefined : cells
}

/** Those of a row in which each property is a column's, without the detour of a write; `undefined` for others. */
function plainCells(rows: TableRows, { key, after = {} }: Arrival): StoredCells | undefined {
  const { model } = rows.schema
  const cells = new StoredCells()
  try {
    for (const path of Object.keys(after)) {
      const place = placeOf(model, path)
      const value = after[path]
      if (place.kind !== 'column' || place.inner.length > 0 || place.column.nullInRest || value === HIDDEN)
        return undefined
      const stored = encodeColumn(place.column, value)
      if (stored !== null) cells.set(place.column.index, stored)
    }
  } catch (error) {
    // It is said with its row by who takes the detour.
    if (error instanceof EncodeFailure) return undefined
    throw error
  }
  const parts = rows.keyParameters(key)
  for (const [n, column] of model.key.entries()) cells.set(column.index, parts[n]!)
  return cells
}

function anyCells(engine: Engine, { table, key, after = {} }: Arrival): StoredCells {
  const [write] = encodeChanges(engine, [{ table, key, op: 'insert', before: {}, after: withoutHidden(after) }])
  return storedCells(write!)
}
