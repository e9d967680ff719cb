import initSqlJs from 'sql.js'
import type { Database, SqlValue as BoundValue } from 'sql.js'
import { NotFoundError } from '../../../src/errors/index.ts'
import {
  installTextFunctions,
  type FieldKind,
  type FieldResolver,
  type FilterField,
  type SqlFragment,
} from '../../../src/store/filter/index.ts'

/** A row as JavaScript sees it, of every kind of field. An undefined property is absent. */
export interface Row {
  readonly id: number
  readonly text?: string | null
  readonly number?: number | null
  readonly integer?: number | null
  readonly boolean?: boolean | null
  readonly bigint?: bigint | null
  readonly binary?: Uint8Array | null
  readonly union?: string | number | Uint8Array | null
  readonly json?: unknown
  readonly or?: string | null
  readonly not?: string | null
}

type Member = { readonly [key: string]: unknown } | null | undefined

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Member)?.[key] : undefined
}

const fields: readonly FilterField[] = [
  column('id', 'number'),
  column('text', 'text'),
  column('number', 'number'),
  column('integer', 'number'),
  column('boolean', 'boolean'),
  column('bigint', 'bigint'),
  column('binary', 'binary'),
  column('union', 'any'),
  column('json', 'json'),
  column('or', 'text'),
  column('not', 'text'),
  { path: 'json.a', kind: 'any', sql: `json_extract("json", '$.a')`, get: (row) => member((row as Row).json, 'a') },
  {
    path: 'json.b.0',
    kind: 'any',
    sql: `json_extract("json", '$.b[0]')`,
    get: (row) => member(member((row as Row).json, 'b'), '0'),
  },
]

function column(path: keyof Row, kind: FieldKind): FilterField {
  return { path, kind, sql: `"${path}"`, get: (row) => (row as Row)[path] }
}

export const resolve: FieldResolver = (path) => {
  const found = fields.find((field) => field.path === path)
  if (!found) throw new NotFoundError(`there is no property '${path}'`)
  return found
}

const SQL = await initSqlJs()

/** A real SQLite table of rows, asked for the ids that an expression selects. */
export class SqliteRows {
  readonly #db: Database = new SQL.Database()

  constructor(rows: readonly Row[], indexed = false) {
    this.#db.run(`CREATE TABLE t ("id" INTEGER PRIMARY KEY, "text" TEXT, "number" REAL, "integer" INTEGER,
      "boolean" INTEGER, "bigint" INTEGER, "binary" BLOB, "union" ANY, "json" TEXT, "or" TEXT, "not" TEXT) STRICT`)
    const insert = this.#db.prepare(`INSERT INTO t VALUES (?, ?, ?, ?, ?, CAST(? AS INTEGER), ?, ?, ?, ?, ?)`)
    for (const row of rows) {
      insert.run([
        row.id,
        row.text ?? null,
        row.number ?? null,
        row.integer ?? null,
        bool(row.boolean),
        row.bigint == null ? null : `${row.bigint}`,
        row.binary ?? null,
        row.union ?? null,
        row.json == null ? null : JSON.stringify(row.json),
        row.or ?? null,
        row.not ?? null,
      ])
    }
    insert.free()
    installTextFunctions({ createFunction: (name, _arity, fn) => void this.#db.create_function(name, fn as never) })
    if (!indexed) return
    for (const [at, field] of fields.entries()) this.#db.run(`CREATE INDEX i${at} ON t (${field.sql})`)
  }

  idsWhere({ sql, parameters }: SqlFragment): number[] {
    return this.#ids(`SELECT id FROM t WHERE ${sql} ORDER BY id`, parameters as readonly BoundValue[])
  }

  idsOrderedBy(sql: string): number[] {
    return this.#ids(`SELECT id FROM t ORDER BY ${sql}`, [])
  }

  plan({ sql, parameters }: SqlFragment): string {
    const result = this.#db.exec(`EXPLAIN QUERY PLAN SELECT id FROM t WHERE ${sql}`, [...(parameters as BoundValue[])])
    return result.flatMap(({ values }) => values.map((row) => String(row[3]))).join('; ')
  }

  close(): void {
    this.#db.close()
  }

  #ids(sql: string, parameters: readonly BoundValue[]): number[] {
    return this.#db.exec(sql, [...parameters]).flatMap(({ values }) => values.map(([id]) => Number(id)))
  }
}

function bool(value: boolean | null | undefined): number | null {
  return value == null ? null : Number(value)
}
