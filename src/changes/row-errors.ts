import { ConstraintError, NotFoundError } from '../errors/index.ts'
import type { RowChange } from './change-set.ts'
import { describeKey } from './key.ts'

/** The error of an insert that meets a row. */
export function rowExists(change: RowChange): ConstraintError {
  return new ConstraintError({
    constraint: 'primaryKey',
    table: change.table,
    columns: [],
    message: `${change.table} ${describeKey(change.key)}: can't be inserted, it exists already`,
  })
}

/** The error of an update or delete that meets no row. */
export function rowMissing(change: RowChange): NotFoundError {
  const done = change.op === 'delete' ? 'deleted' : 'updated'
  return new NotFoundError(`${change.table} ${describeKey(change.key)}: can't be ${done}, it does not exist`)
}
