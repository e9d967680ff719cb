import { ConstraintError, NotFoundError, SqlError, TransactionError, ValidationError } from '../errors/index.ts'
import { FilterError } from '../store/index.ts'
import type { Access } from './access.ts'
import { TooDearError } from './filter-budget.ts'
import { ConflictError, ForbiddenError, SchemaVersionError, UnfitError, type Refusal } from './refusals.ts'

/** What is said where the reason itself would tell of rows, fields or values that the reader may not see. */
const GENERIC = {
  validation: 'a row would not be as the schema has it',
  constraint: 'a unique value, key or reference stands against it',
} as const

/**
 * The one gate between what went wrong and what is told: the refusal that someone gets for an error, which names only rows,
 * fields and values that he may see. Everything else is one text for each code. `undefined` for an error that is the
 * server's own. Expects the state as it was before what was refused.
 */
export function toldOf(error: unknown, access: Access): Refusal | undefined {
  // These speak of what was sent, of the schema, and of rows as their reader sees them: `decide` shows them no others.
  if (error instanceof ForbiddenError) return { code: 'forbidden', reason: error.message }
  if (error instanceof SchemaVersionError) return { code: 'schema-version', reason: error.message }
  if (error instanceof ConflictError) return { code: 'conflict', reason: error.message }
  if (error instanceof NotFoundError || error instanceof FilterError)
    return { code: 'not-found', reason: error.message }
  if (error instanceof TooDearError) return { code: 'too-large', reason: error.message }
  if (error instanceof UnfitError) return { code: 'validation', reason: error.message }
  if (error instanceof ValidationError) return { code: 'validation', reason: issuesTold(error, access) }
  // It names what stands against a row, seen or not: to say it of those that are seen would tell of the others.
  if (error instanceof ConstraintError)
    return { code: 'constraint', reason: access.unrestricted ? error.message : GENERIC.constraint }
  if (error instanceof TransactionError || error instanceof SqlError)
    return { code: 'validation', reason: access.unrestricted ? error.message : GENERIC.validation }
  return undefined
}

/** What is against rows that are known to the reader; where there is nothing of that kind, that something is. */
function issuesTold(error: ValidationError, access: Access): string {
  const told = error.issues.filter(({ table, key }) => access.knows(table, key as never))
  if (told.length === error.issues.length) return error.message
  return told.length > 0 ? new ValidationError(told).message : GENERIC.validation
}
