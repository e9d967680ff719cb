/**
 * errors: what a caller can handle, as few classes with a literal `code`. Imports nothing.
 * @module
 */

/** One reason why a value was refused, with its place. */
export interface ValidationIssue {
  /** The table of the row. */
  readonly table: string
  /** The primary key of the row, `undefined` where the row has none yet. */
  readonly key: unknown
  /** The property path of the value, `''` for the row as a whole. */
  readonly path: string
  /** The JSON Schema keyword that refused it (`type`, `maximum`, …). */
  readonly keyword: string
  /** What ajv gives with the keyword (`{ limit: 99 }`, `{ allowedValues: […] }`), where ajv refused it. */
  readonly params?: Readonly<Record<string, unknown>>
  /** What is wrong and what would be right. */
  readonly message: string
}

/** The base of every error that rowcast throws. */
export class RowcastError<Code extends string = string> extends Error {
  override readonly name: string = 'RowcastError'
  /** A literal to switch on; it stays the same between versions. */
  readonly code: Code

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A schema that `defineSchema` refuses. */
export class SchemaError extends RowcastError<'schema'> {
  override readonly name: string = 'SchemaError'
  /** Where in the schema document, as a property path (`tables.annotation.schema.properties.x`). */
  readonly path: string

  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super('schema', `${path}: ${message}`, options)
    this.path = path
  }
}

/** A value that the JSON Schema of its table refuses. Nothing was changed. */
export class ValidationError extends RowcastError<'validation'> {
  override readonly name: string = 'ValidationError'
  readonly issues: readonly ValidationIssue[]
  /** The open draft without which it would be valid, if there is one. */
  readonly draftId: string | undefined

  /** @param options.draft the draft without which it would be valid, and what the message is to say of it */
  constructor(
    issues: readonly ValidationIssue[],
    options?: { cause?: unknown; draft?: { readonly id: string; readonly message: string } | undefined },
  ) {
    const all = issues.map(describeIssue).join('; ')
    super('validation', options?.draft ? `${all}: ${options.draft.message}` : all, options)
    this.issues = issues
    this.draftId = options?.draft?.id
  }
}

/** A unique, foreign-key or not-null constraint that a change would break. Nothing was changed. */
export class ConstraintError extends RowcastError<'constraint'> {
  override readonly name: string = 'ConstraintError'
  readonly constraint: 'unique' | 'primaryKey' | 'foreignKey' | 'notNull' | 'draft'
  readonly table: string
  /** The property paths that the constraint is on. */
  readonly columns: readonly string[]
  /** The open draft that holds what collides, if one does. */
  readonly draftId: string | undefined

  constructor(
    details: {
      constraint: ConstraintError['constraint']
      table: string
      columns: readonly string[]
      message: string
      draftId?: string | undefined
    },
    options?: { cause?: unknown },
  ) {
    super('constraint', details.message, options)
    this.constraint = details.constraint
    this.table = details.table
    this.columns = details.columns
    this.draftId = details.draftId
  }
}

/** A row, table, path or step that isn't there. */
export class NotFoundError extends RowcastError<'not-found'> {
  override readonly name: string = 'NotFoundError'
  constructor(message: string, options?: { cause?: unknown }) {
    super('not-found', message, options)
  }
}

/** A migration that could not run. The database is as it was. */
export class MigrationError extends RowcastError<'migration'> {
  override readonly name: string = 'MigrationError'
  /** The rows that the new schema refuses, if that is the reason. */
  readonly issues: readonly ValidationIssue[]

  constructor(message: string, options?: { cause?: unknown; issues?: readonly ValidationIssue[] }) {
    super('migration', message, options)
    this.issues = options?.issues ?? []
  }
}

/** A database of a newer schema version than the code's. */
export class VersionError extends RowcastError<'version'> {
  override readonly name: string = 'VersionError'
  readonly found: number
  readonly expected: number

  constructor(found: number, expected: number) {
    super(
      'version',
      `the database has schema version ${found}, this code knows version ${expected}: load a newer version of the application`,
    )
    this.found = found
    this.expected = expected
  }
}

/** A call to a store, draft, live query or mirror that was closed. */
export class StoreClosedError extends RowcastError<'closed'> {
  override readonly name: string = 'StoreClosedError'
  constructor(what = 'the store') {
    super('closed', `${what} is closed`)
  }
}

/** A write to a read-only store. */
export class ReadOnlyError extends RowcastError<'read-only'> {
  override readonly name: string = 'ReadOnlyError'
  constructor(what = 'this store') {
    super('read-only', `${what} is read-only: it can be read and observed, not written`)
  }
}

/** A transaction that can't be run as asked (an async function, a call in the wrong place). */
export class TransactionError extends RowcastError<'transaction'> {
  override readonly name: string = 'TransactionError'
  constructor(message: string, options?: { cause?: unknown }) {
    super('transaction', message, options)
  }
}

/** SQL or a file that can't be taken: DDL through `exec`, several statements, not a database. */
export class SqlError extends RowcastError<'sql'> {
  override readonly name: string = 'SqlError'
  constructor(message: string, options?: { cause?: unknown }) {
    super('sql', message, options)
  }
}

/** What was found of a copy on disk that is not as it was written. */
export interface DamageReport {
  /** What is broken, by file, for people. */
  readonly findings: readonly string[]
  /** Whether the snapshot can't be relied on: what the server has confirmed, or everything where there is none. */
  readonly snapshot: boolean
  /** How many records of the journal are intact: up to the first damage, and after it. */
  readonly intact: { readonly before: number; readonly after: number }
  /**
   * Where records are lost, each place after so many that are intact, in bytes. Each may have been a transaction that was
   * not sent; where the server has one already, it comes back from there.
   */
  readonly lost: readonly { readonly before: number; readonly bytes: number }[]
  /** The transactions that are intact and were not confirmed: they stay, whatever is decided. */
  readonly pending: readonly { readonly id: string; readonly label: string | undefined }[]
}

/** A copy on disk that is damaged, where the application has not said how to go on: `createStore({ onDamaged })`. */
export class DamagedError extends RowcastError<'persistence-damaged'> {
  override readonly name: string = 'DamagedError'
  readonly report: DamageReport

  constructor(report: DamageReport, options?: { cause?: unknown }) {
    super(
      'persistence-damaged',
      `what is kept locally is damaged: ${report.findings.join('; ')}. Intact are ${report.intact.before} records before and ${report.intact.after} after it, with ${report.pending.length} pending transactions: give createStore \`onDamaged\` to go on with them`,
      options,
    )
    this.report = report
  }
}

/** A transaction that the server refused. */
export class RejectedError extends RowcastError<'rejected'> {
  override readonly name: string = 'RejectedError'
  readonly reason: string
  /** The server's code for the refusal. */
  readonly rejection: string

  constructor(rejection: string, reason: string, options?: { cause?: unknown }) {
    super('rejected', `the server refused the transaction (${rejection}): ${reason}`, options)
    this.rejection = rejection
    this.reason = reason
  }
}

/**
 * The server has ended the sync for good: it refuses the token, knows another schema, … No verdict and no rows come until
 * `store.sync.reconnect()` begins anew. What was committed stays, is kept and is sent again then; of what had been sent
 * nobody knows before whether it was applied. `code` is the server's.
 */
export class SyncEndedError extends RowcastError {
  override readonly name: string = 'SyncEndedError'
  readonly reason: string

  constructor(code: string, reason: string) {
    super(code, `the server has ended the sync (${code}): ${reason}; store.sync.reconnect() begins anew`)
    this.reason = reason
  }
}

function describeIssue(issue: ValidationIssue): string {
  const key = issue.key === undefined ? '' : ` ${JSON.stringify(issue.key, bigintAsText)}`
  const path = issue.path === '' ? '' : ` at '${issue.path}'`
  return `${issue.table}${key}${path}: ${issue.message} (${issue.keyword})`
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value
}
