import type { SchemaInput, TableName, WhereOf } from '../schema/index.ts'
import type { Store } from './api.ts'
import { compileWhere } from './filter-fields.ts'
import { internals } from './internals.ts'

/** A `where` as a test of rows, with the paths that it reads: nothing else in a row can change its answer. */
export interface RowPredicate {
  readonly test: (row: object) => boolean
  readonly paths: ReadonlySet<string>
}

/** Compiles a `where` of a table. Throws FilterError and NotFoundError. */
export function rowPredicate<S extends SchemaInput, T extends TableName<S>>(store: Store<S>, table: T, where: WhereOf<S, T>): RowPredicate {
  return compileWhere(internals(store as unknown as Store).engine.table(table), where)
}
