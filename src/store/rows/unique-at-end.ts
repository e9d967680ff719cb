import { ConstraintError } from '../../errors/index.ts'
import { createIndexSql, quoteName, type IndexModel, type TableModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { withinSavepoint } from '../sql/savepoint.ts'

/**
 * Runs writes of several rows, of which only the state after them counts for unique constraints: rows may pass their values
 * on. SQLite judges row by row; where it refuses, all is carried out again without that index, which is then made anew.
 * That costs as much as the table is large, and happens only to what would fail. Throws what the writes throw.
 *
 * @param canRepeat whether running it again does the same
 */
export function uniqueAtEnd<Result>(engine: Engine, run: () => Result, canRepeat = (): boolean => true): Result {
  const lifted = new Map<IndexModel, TableModel>()
  const attempt = (): Result => {
    for (const index of lifted.keys()) engine.driver.exec(`DROP INDEX ${quoteName(index.name)}`)
    const result = run()
    for (const [index, table] of lifted) engine.driver.exec(createIndexSql(table, index))
    return result
  }
  for (;;) {
    try {
      return withinSavepoint(engine, attempt)
    } catch (error) {
      const refused = refusing(engine, error)
      if (!refused || lifted.has(refused.index) || !canRepeat()) throw error
      lifted.set(refused.index, refused.table)
    }
  }
}

/** The index that has refused a row. */
function refusing(engine: Engine, error: unknown): { table: TableModel; index: IndexModel } | undefined {
  if (!(error instanceof ConstraintError) || error.constraint !== 'unique') return undefined
  const table = engine.byName.get(error.table)?.schema.model
  const paths = error.columns.join('\0')
  const index = table?.unique.find(({ columns }) => columns.map(({ path }) => path).join('\0') === paths)
  return table && index && { table, index }
}
