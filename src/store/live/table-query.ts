import { keyId, serializeValue, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { placeOf, SINGLETON_KEY, type Column, type RowObject } from '../../schema/index.ts'
import { fieldResolver, keyFields } from '../filter-fields.ts'
import {
  everything,
  FilterError,
  parseOrderBy,
  parseWhere,
  pathsIn,
  whereToPredicate,
  whereToSql,
  type FilterField,
  type FilterNode,
  type Ordering,
} from '../filter/index.ts'
import type { NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'

/** What `find` and `live` take, unchecked. */
export interface TableQueryOptions {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** The options of `find` and `live`, compiled: the same question in SQL and in JavaScript. */
export class TableQuery {
  readonly rows: TableRows
  readonly node: FilterNode
  readonly ordering: Ordering
  /** How many rows at most; `undefined` for all. */
  readonly limit: number | undefined
  readonly offset: number
  /** The property paths that decide whether and where a row is in the result. */
  readonly paths: ReadonlySet<string>
  /** Whether a row passes the filter. */
  readonly matches: (row: object) => boolean
  /** Negative where `a` comes before `b`; 0 only for rows of one key. */
  readonly compare: (a: object, b: object) => number
  readonly #key: readonly FilterField[]
  readonly #columns = new Set<number>()
  /** The columns that decide whether a row passes the filter. */
  readonly filterColumns: ReadonlySet<number>
  readonly #sql: string
  readonly #parameters: readonly SqlValue[]

  /** Throws FilterError for what can't be understood, NotFoundError for a path that the table can't have. */
  constructor(rows: TableRows, options: TableQueryOptions = {}) {
    this.rows = rows
    this.limit = options.limit === undefined ? undefined : wholeNumber('limit', options.limit)
    this.offset = options.offset === undefined ? 0 : wholeNumber('offset', options.offset)
    const resolve = fieldResolver(rows)
    this.#key = keyFields(rows)
    this.node = options.where === undefined ? everything : parseWhere(options.where, resolve)
    this.ordering = parseOrderBy(options.orderBy, resolve, this.#key)
    this.paths = pathsIn(this.node, this.ordering)
    this.matches = whereToPredicate(this.node)
    this.compare = this.ordering.compare
    const where = whereToSql(this.node)
    const order = this.ordering.sql === '' ? '' : ` ORDER BY ${this.ordering.sql}`
    this.#sql = `SELECT rowid FROM ${rows.base} WHERE ${where.sql}${order} LIMIT ? OFFSET ?`
    this.#parameters = where.parameters
    for (const path of pathsIn(this.node)) this.#noteColumns(path)
    this.filterColumns = new Set(this.#columns)
    for (const path of this.paths) this.#noteColumns(path)
  }

  /** The result now, from SQLite. */
  run(): RowObject[] {
    return this.select(this.limit, this.offset)
  }

  /** Another window of the same rows in the same order. */
  select(limit: number | undefined, offset: number): RowObject[] {
    const found = this.rows.statement(this.#sql).all([...this.#parameters, limit ?? -1, offset])
    return this.rows.atRowids(found.map(([rowid]) => Number(rowid)))
  }

  /** The keys of all rows that pass, whatever the limit. */
  ids(): KeyId[] {
    const where = whereToSql(this.node)
    return this.rows.keys(where).map(keyId)
  }

  /** The columns that decide whether and where a row is in the result. */
  get columns(): ReadonlySet<number> {
    return this.#columns
  }

  /** Whether a change may alter what decides about the row. What came or went always does. */
  touches(net: NetRow): boolean {
    if (net.op !== 'update') return true
    for (const cell of net.cells.keys())
      if (this.#columns.has(typeof cell === 'string' ? this.rows.schema.model.rest!.index : cell)) return true
    return false
  }

  /** The same for queries that ask the same. */
  get identity(): string {
    return `${this.rows.schema.model.name}\0${this.#sql}\0${serializeValue(this.#parameters)}\0${this.limit}\0${this.offset}`
  }

  /** What the row's key is known by in a Map. */
  idOf(row: object): KeyId {
    if (this.rows.schema.model.singleton) return SINGLETON_KEY
    const parts = this.#key.map((field) => field.get(row))
    return keyId((parts.length === 1 ? parts[0] : parts) as Key)
  }

  /** A value also depends on whether the optional objects around it are there. */
  #noteColumns(path: string): void {
    const { model } = this.rows.schema
    const column = model.byPath.get(path)
    if (column) return this.#noteColumn(column)
    const place = placeOf(model, path)
    if (place.kind === 'column') this.#noteColumn(place.column)
    else if (place.kind === 'object') this.#noteColumn(place.node.guard)
    else {
      this.#noteRest()
      for (const each of model.columns) if (each.kind === 'presence') this.#columns.add(each.index)
    }
  }

  #noteColumn(column: Column | undefined): void {
    for (let at = column; at; at = at.guard) {
      this.#columns.add(at.index)
      if (at.nullInRest) this.#noteRest()
    }
  }

  #noteRest(): void {
    const { rest } = this.rows.schema.model
    if (rest) this.#columns.add(rest.index)
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new FilterError('', `${name} was given ${String(value)}, where a whole number from 0 is expected`)
}
