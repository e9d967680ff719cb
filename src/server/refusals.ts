import { RowcastError, ValidationError } from '../errors/index.ts'
import type { RefusalCode } from '../transport/index.ts'

/** What was made for another version of the schema. */
export class SchemaVersionError extends RowcastError<'schema-version'> {
  override readonly name: string = 'SchemaVersionError'
  constructor(made: number, version: number) {
    super('schema-version', `it was made for version ${made} of the schema, and does not fit version ${version}`)
  }
}

/** Why a transaction is refused, as its author is told. */
export interface Refusal {
  readonly code: RefusalCode
  readonly reason: string
}

/** A transaction that was refused, as the log has it. */
export interface RefusedTransaction extends Refusal {
  readonly id: string
}

/** Characters of a reason. */
export const MAX_REASON = 2_000

/** What the permissions don't allow. It says no more: what is hidden stays so. */
export class ForbiddenError extends RowcastError<'forbidden'> {
  override readonly name: string = 'ForbiddenError'
  constructor() {
    super('forbidden', 'the permissions do not allow this transaction')
  }
}

/** What is against a transaction by what it says alone, whatever is there. */
export class UnfitError extends ValidationError {
  override readonly name: string = 'UnfitError'
}

/** What was decided on a state that has changed since. */
export class ConflictError extends RowcastError<'conflict'> {
  override readonly name: string = 'ConflictError'
  constructor(message: string) {
    super('conflict', message)
  }
}
