import { equalValues, type CellValue } from '../../changes/index.ts'
import { ConstraintError, NotFoundError, SqlError, ValidationError } from '../../errors/index.ts'
import type { SqliteDriver, SqlValue } from '../../drivers/index.ts'
import type { Schema, TableSchema } from '../define-schema.ts'
import { isObject } from '../model/row-codec.ts'
import { quoteName } from '../model/sql-text.ts'
import type { MigrationContext, MigrationStatement, RefusedRow } from '../types/index.ts'
import { select } from './metadata.ts'
import { encodeRow, RowInserter } from './write-row.ts'

const FORBIDDEN =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|;)*(begin|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum)\b/i

/** What a migration's functions work with. */
export class MigrationRun implements MigrationContext {
  readonly from: number
  readonly to: number
  readonly #driver: SqliteDriver
  readonly #schema: Schema
  #refused: readonly RefusedRow[]

  constructor(driver: SqliteDriver, from: number, schema: Schema, refused: readonly RefusedRow[]) {
    this.#driver = driver
    this.from = from
    this.to = schema.version
    this.#schema = schema
    this.#refused = refused
  }

  exec(statement: MigrationStatement): { changes: number } {
    const before = this.#totalChanges()
    this.#run(statement)
    return { changes: this.#totalChanges() - before }
  }

  query(statement: MigrationStatement): Record<string, unknown>[] {
    const { columns, rows } = this.#run(statement)
    return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])))
  }

  insert(table: string, row: Record<string, unknown>): void {
    const target = this.#table(table)
    const encoded = encodeRow(target, row as Record<string, CellValue>)
    if (!('stored' in encoded)) throw new ValidationError(encoded.issues)
    const inserter = new RowInserter(this.#driver, target)
    try {
      const issue = inserter.insert(row as Record<string, CellValue>)[0]
      if (!issue) return
      throw new ConstraintError({
        constraint: issue.keyword === 'unique' ? 'unique' : 'primaryKey',
        table,
        columns: issue.path.split(', '),
        message: `${table}: '${issue.path}' ${issue.message}`,
      })
    } finally {
      inserter.close()
    }
  }

  refused(table?: string): readonly RefusedRow[] {
    return table === undefined
      ? this.#refused
      : this.#refused.filter((row) => row.table === this.#table(table).model.name)
  }

  discard(table: string, key?: unknown): void {
    const given = this.refused(table).filter(
      (row) => key === undefined || equalValues(row.key as CellValue, key as CellValue),
    )
    if (given.length === 0 && key !== undefined)
      throw new NotFoundError(`no row of '${table}' with this key was refused`)
    this.#refused = this.#refused.filter((row) => !given.includes(row))
  }

  /** The refused rows that no function has dealt with. */
  unresolved(): readonly RefusedRow[] {
    return this.#refused.filter((row) => !this.#isThere(row))
  }

  #isThere({ table, key }: RefusedRow): boolean {
    const { model } = this.#table(table)
    if (model.singleton) return select(this.#driver, `SELECT 1 FROM ${quoteName(model.base)}`).length > 0
    const parts = (Array.isArray(key) ? key : [key]).map(bindable)
    const condition = model.key.map((column) => `${quoteName(column.name)} = ?`).join(' AND ')
    return select(this.#driver, `SELECT 1 FROM ${quoteName(model.base)} WHERE ${condition}`, parts).length > 0
  }

  #table(name: string): TableSchema {
    const table = this.#schema.tables.get(name)
    if (!table) throw new NotFoundError(`the new schema has no table '${name}'`)
    return table
  }

  #run({ sql, parameters = [] }: MigrationStatement): { columns: readonly string[]; rows: SqlValue[][] } {
    const forbidden = FORBIDDEN.exec(sql)?.[1]
    if (forbidden !== undefined)
      throw new SqlError(`${forbidden.toUpperCase()} has no place in a migration, which is one transaction`)
    const statement = this.#driver.prepare(sql)
    try {
      if (
        sql
          .slice(sql.indexOf(statement.text) + statement.text.length)
          .replace(/^;/, '')
          .trim() !== ''
      )
        throw new SqlError('several statements at once: run them one by one')
      return { columns: statement.columns, rows: statement.all(parameters.map(bindable)) }
    } finally {
      statement.finalize()
    }
  }

  #totalChanges(): number {
    return Number(select(this.#driver, 'SELECT total_changes()')[0]?.[0])
  }
}

function bindable(value: unknown): SqlValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof Uint8Array
  )
    return value
  throw new SqlError(
    `${isObject(value) || Array.isArray(value) ? 'an object' : `a ${typeof value}`} is no value of SQLite: give its JSON text`,
  )
}
