import {
  ConstraintError,
  MigrationError,
  NotFoundError,
  RowcastError,
  SchemaError,
  SqlError,
  ValidationError,
  VersionError,
  type ValidationIssue,
} from '../../errors/index.ts'
import { LogMovedError, LogPartedError } from '../log-errors.ts'

/** An error on its way between threads, where its class is lost. */
export interface CarriedError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Of a RowcastError: what it has of its own, `code` among it. */
  readonly details: { readonly [name: string]: unknown } | undefined
}

export function carryError(error: unknown): CarriedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined, details: undefined }
  const { name, message, stack } = error
  const details =
    error instanceof RowcastError ? (JSON.parse(JSON.stringify(error, bigintAsText)) as object) : undefined
  return { name, message, stack, details: details as CarriedError['details'] }
}

/** The error as it was thrown: of the same class, with the same code and message. */
export function arrivedError({ name, message, stack, details }: CarriedError): Error {
  const cause = Object.assign(new Error(message), { name, stack })
  if (!details) return cause
  const issues = (details['issues'] ?? []) as readonly ValidationIssue[]
  switch (details['code']) {
    case 'validation':
      return new ValidationError(issues, { cause })
    case 'constraint':
      return new ConstraintError(
        { ...(details as object as ConstructorParameters<typeof ConstraintError>[0]), message },
        { cause },
      )
    case 'migration':
      return new MigrationError(message, { cause, issues })
    case 'version':
      return new VersionError(Number(details['found']), Number(details['expected']))
    case 'schema':
      return new SchemaError(String(details['path']), message.slice(String(details['path']).length + 2), { cause })
    case 'not-found':
      return new NotFoundError(message, { cause })
    case 'sql':
      return new SqlError(message, { cause })
    case 'log':
      return typeof details['log'] === 'string'
        ? new LogPartedError(details['log'], Number(details['sequence']), { cause })
        : new RowcastError('log', message, { cause })
    case 'moved':
      return typeof details['log'] === 'string'
        ? new LogMovedError(details['log'], details['url'] as string | undefined, { cause })
        : new RowcastError('moved', message, { cause })
    default:
      return new RowcastError(String(details['code']), message, { cause })
  }
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
