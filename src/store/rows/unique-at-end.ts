import { createIndexSql, quoteName, type IndexModel, type TableModel } from '../../schema/index.ts'
import type { Engine } from '../engine.ts'
import { withinSavepoint } from '../sql/savepoint.ts'
import { refusingIndex } from './refusing-index.ts'

/**
 * Runs a statement that writes several rows, of which only the state after it counts for unique constraints: rows may pass
 * their values on. SQLite judges row by row; where it refuses, all is carried out again without that index, which is then
 * made anew. That costs as much as the table is large: which rows a statement writes is not known before. Throws what the
 * statement throws.
 */
export function uniqueAtEnd<Result>(engine: Engine, run: () => Result): Result {
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
      const refusing = refusingIndex(engine, error)
      if (!refusing || lifted.has(refusing.index)) throw error
      lifted.set(refusing.index, refusing.table)
    }
  }
}
