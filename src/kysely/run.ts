import type { Compilable, DeleteResult, InsertResult, MergeResult, UpdateResult } from 'kysely'
import type { SchemaInput } from '../schema/index.ts'
import type { LiveQuery, Workspace } from '../store/index.ts'

/** The rows of a write: those of `returning`, none without it. */
export type Returned<Output> = Output extends InsertResult | UpdateResult | DeleteResult | MergeResult ? never : Output

/**
 * The rows of a SELECT, at once. Throws SqlError for anything else.
 *
 * @param workspace a store, or a draft
 */
export function run<S extends SchemaInput, Output>(workspace: Workspace<S>, query: Compilable<Output>): Output[] {
  return workspace.query<Output>(query.compile())
}

/**
 * A SELECT as a live query: run again when a column that it reads has changed, unchanged rows being the same objects.
 * Throws SqlError for anything else.
 *
 * @param workspace a store, or a draft
 */
export function live<S extends SchemaInput, Output>(
  workspace: Workspace<S>,
  query: Compilable<Output>,
): LiveQuery<Output> {
  return workspace.live<Output>(query.compile())
}

/**
 * Runs an INSERT, REPLACE, UPDATE or DELETE at once, also inside `transaction`. `changes` counts the rows that differ
 * afterwards, cascades included; `rows` are those of `returning`, with the values as the statement gave them. Throws
 * ValidationError and ConstraintError, and SqlError for anything else than a write; then nothing is changed.
 *
 * @param workspace a store, or a draft, which holds the write then
 */
export function exec<S extends SchemaInput, Output>(
  workspace: Workspace<S>,
  query: Compilable<Output>,
): { readonly changes: number; readonly rows: Returned<Output>[] } {
  const { changes, rows } = workspace.exec(query.compile())
  return { changes, rows: rows as Returned<Output>[] }
}
