import type { SqliteStatement, SqlValue } from '../../drivers/index.ts'
import { sameSql } from '../../schema/index.ts'
import type { SqlRow } from '../api.ts'
import type { Engine } from '../engine.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { assertNamesDiffer } from '../sql/result-names.ts'
import { Live } from './live.ts'
import { liveIndexOf, type Follower } from './live-index.ts'
import { LiveSource } from './live-source.ts'
import { sqlDependencies } from './sql-dependencies.ts'

/** A SELECT that was checked, with its parameters in SQLite's values. */
export interface PreparedQuery {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/** The values of rows that were made. */
const cellsOf = new WeakMap<object, readonly SqlValue[]>()
/** Rows in one place of two results that have nothing else to be known by. */
const idsOf = new WeakMap<object, object>()

/** A live query in SQL. */
export class SqlLive<Row extends object = SqlRow> extends Live<Row> {
  constructor(engine: Engine, query: PreparedQuery) {
    super(engine, identityOf(query), () => new SqlSource(engine, query))
  }
}

/**
 * A query in SQL. It runs again at most once per transaction, and only when a column that it reads has changed or a row
 * of a table that it reads came or went. Rows with the same values are the same objects.
 */
class SqlSource<Row extends object> extends LiveSource<Row> {
  readonly #query: PreparedQuery
  #statement: SqliteStatement | undefined
  readonly #following = new Map<TableRows, Follower>()
  #waiting = false

  constructor(engine: Engine, query: PreparedQuery) {
    super(engine, identityOf(query))
    this.#query = query
  }

  override tables(): Iterable<TableRows> {
    return sqlDependencies(this.engine, this.#query.sql).keys()
  }

  override read(previous: readonly Row[]): readonly Row[] {
    return this.#run(this.engine.statements.get(this.#query.sql), previous)
  }

  protected override start(previous: readonly Row[]): readonly Row[] {
    const statement = this.engine.driver.prepare(this.#query.sql)
    try {
      const dependencies = sqlDependencies(this.engine, statement.text)
      const rows = this.#run(statement, previous)
      this.#statement = statement
      for (const [table, columns] of dependencies) {
        const follower = {
          columns,
          everything: false,
          deletes: true,
          passes: undefined,
          changed: () => this.#changed(),
        }
        liveIndexOf(this.engine, table).add(follower)
        this.#following.set(table, follower)
      }
      return rows
    } catch (error) {
      statement.finalize()
      throw error
    }
  }

  protected override stop(): void {
    for (const [table, follower] of this.#following) liveIndexOf(this.engine, table).remove(follower)
    this.#following.clear()
    this.#statement?.finalize()
    this.#statement = undefined
    this.#waiting = false
  }

  protected override refresh(): void {
    this.#waiting = false
    const { current, ahead } = this
    if (this.#statement && current) this.renew(() => this.#run(this.#statement!, current, ahead))
  }

  protected override idOf(row: Row): unknown {
    return idsOf.get(row) ?? row
  }

  /** Called for each table of a transaction: the query runs once they all have been. */
  #changed(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.engine.announcer.afterTables(() => {
      if (this.#waiting) this.refresh()
    })
  }

  /** Rows that were there are taken again: those at either end in place, the others by what they hold, as are those of `ahead`. */
  #run(statement: SqliteStatement, previous: readonly Row[], ahead: readonly Row[] = []): readonly Row[] {
    const found = statement.all(this.#query.parameters)
    if (found.length > 0) assertNamesDiffer(statement.columns)
    const rows = new Array<Row>(found.length)
    const same = (row: Row, cells: readonly SqlValue[]): boolean =>
      cellsOf.get(row)!.every((cell, at) => sameSql(cell, cells[at]!))
    let start = 0
    while (start < found.length && start < previous.length && same(previous[start]!, found[start]!)) {
      rows[start] = previous[start]!
      start++
    }
    let end = found.length
    let endPrevious = previous.length
    while (end > start && endPrevious > start && same(previous[endPrevious - 1]!, found[end - 1]!))
      rows[--end] = previous[--endPrevious]!
    if (start === end) return rows
    const byContent = rowsByContent(previous.slice(start, endPrevious))
    const shown = new Set(previous)
    const aheadByContent = rowsByContent(ahead.filter((row) => !shown.has(row)))
    const fresh: number[] = []
    for (let at = start; at < end; at++) {
      const content = contentOf(found[at]!)
      const known = byContent.get(content)?.pop()
      if (!known) fresh.push(at)
      rows[at] = known ?? this.#taken(aheadByContent.get(content)?.pop()) ?? this.#make(statement.columns, found[at]!)
    }
    if (fresh.length > 0) {
      const gone = new Set([...byContent.values()].flat())
      for (const at of fresh) {
        const before = previous[at]
        if (before && gone.has(before)) idsOf.set(rows[at]!, idsOf.get(before) ?? before)
      }
    }
    return rows
  }

  /** A row that was read ahead. In whose place it stood then does not matter any more. */
  #taken(row: Row | undefined): Row | undefined {
    if (row) idsOf.delete(row)
    return row
  }

  #make(columns: readonly string[], cells: readonly SqlValue[]): Row {
    const row = Object.freeze(Object.fromEntries(columns.map((column, at) => [column, cells[at]!]))) as Row
    cellsOf.set(row, cells)
    return row
  }
}

function identityOf({ sql, parameters }: PreparedQuery): string {
  return `sql\0${sql}\0${contentOf(parameters)}`
}

/** Rows by what they hold, the first of equal ones last. */
function rowsByContent<Row extends object>(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>()
  for (const row of rows.toReversed()) {
    const content = contentOf(cellsOf.get(row)!)
    const others = found.get(content)
    if (others) others.push(row)
    else found.set(content, [row])
  }
  return found
}

function contentOf(cells: readonly SqlValue[]): string {
  let text = ''
  for (const cell of cells) {
    if (typeof cell === 'string') text += `${JSON.stringify(cell)},`
    else if (cell instanceof Uint8Array) text += `[${cell.join(' ')}],`
    else text += `${cell === null ? '' : String(cell)}${typeof cell === 'bigint' ? 'n' : ''},`
  }
  return text
}
