import { ConstraintError } from '../../errors/index.ts'
import type { IndexModel, TableModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { translateSqlError } from '../sql/sqlite-errors.ts'

/** The unique index that has refused a row; `undefined` for any other error. */
export function refusingIndex(engine: Engine, thrown: unknown): { table: TableModel; index: IndexModel } | undefined {
  const error = translateSqlError(thrown, engine.models)
  if (!(error instanceof ConstraintError) || error.constraint !== 'unique') return undefined
  const table = engine.byName.get(error.table)?.schema.model
  const paths = error.columns.join('\0')
  const index = table?.unique.find(({ columns }) => columns.map(({ path }) => path).join('\0') === paths)
  return table && index && { table, index }
}
