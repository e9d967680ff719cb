import { hiddenPathsOf, type Cells, type Key } from '../changes/index.ts'
import { ValidationError } from '../errors/index.ts'
import { internals, storedRows, type Store } from '../store/index.ts'
import { isDeeper, MAX_DEPTH } from '../transport/index.ts'

/** What a message has around a cell. */
const ENVELOPE = 16

/**
 * Throws ValidationError for a row that could not be sent to anyone: its JSON is nested too deeply, or a value is marked as
 * withheld, as in the copy of a client that may not see it.
 */
export function assertDepth(store: Store): void {
  for (const table of store.tables)
    for (const [key, cells] of storedRows(internals(store).engine, table)) assertCells(table, key, cells)
}

/** A row as it is put or changed. */
interface Changed {
  readonly table: string
  readonly key: Key
  readonly after?: Cells | undefined
}

/** The same of rows that have changed, or are to. */
export function assertDepthOf(changes: readonly Changed[]): void {
  for (const { table, key, after = {} } of changes) assertCells(table, key, after)
}

function assertCells(table: string, key: unknown, cells: Cells): void {
  for (const path of hiddenPathsOf(cells))
    throw new ValidationError([
      { table, key, path, keyword: 'type', message: 'is withheld in this file: give one of somebody who may see it' },
    ])
  for (const [path, value] of Object.entries(cells))
    if (isDeeper(value, MAX_DEPTH - ENVELOPE))
      throw new ValidationError([
        { table, key, path, keyword: 'maxDepth', message: `is nested more than ${MAX_DEPTH - ENVELOPE} levels deep` },
      ])
}
