import { allAtOnce, type CellValue, type Steps } from '../../changes/index.ts'
import type { SqliteStatement, SqlValue } from '../../drivers/index.ts'
import { SqlError, ValidationError, type ValidationIssue } from '../../errors/index.ts'
import {
  decodeColumn,
  EncodeFailure,
  encodeColumn,
  encodeJson,
  isHiddenMark,
  MalformedJson,
  type Column,
} from '../../schema/index.ts'
import type { SqlQuery, SqlRow } from '../api.ts'
import type { Engine } from '../engine.ts'
import { refusedBy } from '../layers/blamed-drafts.ts'
import type { LayerStacks } from '../layers/layer-stacks.ts'
import type { Layer } from '../layers/row-stack.ts'
import { issuesOf } from '../layers/committed-rows.ts'
import type { NetRow } from '../rows/cells.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { uniqueAtEnd } from '../rows/unique-at-end.ts'
import { dropOrphans } from '../rows/write-rows.ts'
import { assertNamesDiffer } from './result-names.ts'
import { checkRead, checkWrite } from './statement.ts'
import type { StatementCache } from './statement-cache.ts'

/** Runs a SELECT. */
export function runQuery(engine: Engine, cache: StatementCache, query: SqlQuery): SqlRow[] {
  engine.assertOpen()
  const { sql, parameters } = checkRead(query)
  const statement = cache.get(sql)
  return toObjects(statement, statement.all(parameters))
}

/** Runs one write in SQL: what it changed is validated as any other write. */
export function runExec(
  engine: Engine,
  layer: Layer | undefined,
  query: SqlQuery,
): { changes: number; rows: SqlRow[] } {
  engine.assertWritable()
  const { verb, sql, parameters } = checkWrite(query)
  return engine.write(layer, {}, () => {
    const mark = engine.mark
    // What it reads on the way it does not say.
    if (engine.reads) for (const rows of engine.rows) engine.noteRead(rows)
    // Not kept: a statement prepared on a view with many triggers is large.
    const statement = engine.driver.prepare(sql)
    try {
      const run = (): SqlRow[] => toObjects(statement, statement.all(parameters))
      // Others have no rows that could pass their values on.
      const rows = verb === 'UPDATE' ? uniqueAtEnd(engine, run) : run()
      for (const written of engine.rows) rewriteJson(engine, written, mark)
      // The views' triggers clear the columns of an object that goes, not what is undeclared in it.
      for (const net of engine.netsSince(mark)) if (net.rows.hasObjects && net.rows.schema.model.rest) dropOrphans(net)
      const nets = engine.netsSince(mark)
      refuseMarks(nets)
      validateNets(nets, { stacks: engine.layers, layer })
      return { changes: nets.length, rows }
    } catch (error) {
      throw explainKeyType(error, engine, sql)
    } finally {
      statement.finalize()
    }
  })
}

/** SQLite says of a key of the wrong type only that there is one. */
function explainKeyType(error: unknown, engine: Engine, sql: string): unknown {
  if (!(error instanceof SqlError) || !/datatype mismatch/.test(error.message)) return error
  const named = engine.models.filter((model) => model.rowidKey && sql.toLowerCase().includes(model.name.toLowerCase()))
  return new ValidationError(
    named.map((model) => ({
      table: model.name,
      key: undefined,
      path: model.key[0]!.path,
      keyword: 'type',
      message: 'must be integer',
    })),
    { cause: error },
  )
}

/**
 * Writes the JSON that a statement has written as the store writes it: a member given twice, or `1.0`, would be one thing to
 * SQL and another to those who see the row. What can't be kept is left to be refused.
 */
function rewriteJson(engine: Engine, rows: TableRows, mark: number): void {
  const columns = rows.schema.model.columns.filter(({ kind }) => kind === 'json' || kind === 'rest')
  if (columns.length === 0) return
  for (const rowid of engine.writtenSince(mark, rows)) {
    const stored = rows.stored(rowid)
    for (const column of columns) {
      const text = stored[column.index]!
      if (typeof text !== 'string') continue
      const rewritten = sameJson(text)
      const stays = column.kind === 'rest' && rewritten === '{}' ? null : rewritten
      if (stays !== text) rows.writes.update(column).run([stays, rowid])
    }
  }
}

function sameJson(text: string): string {
  try {
    return encodeJson(JSON.parse(text) as CellValue)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof EncodeFailure || error instanceof RangeError) return text
    throw error
  }
}

/** The drafts that may be open, and the one that has written. */
interface Drafts {
  readonly stacks: LayerStacks
  readonly layer: Layer | undefined
}

/** Checks what raw SQL has written. Throws ValidationError, naming another's draft by which alone a row is not valid. */
export function validateNets(nets: readonly NetRow[], over?: Drafts): void {
  allAtOnce(validateInSteps(nets, over))
}

/** The same in steps. */
export function* validateInSteps(nets: readonly NetRow[], over?: Drafts): Steps<void> {
  const wrong: { readonly net: NetRow; readonly issues: readonly ValidationIssue[] }[] = []
  for (const net of nets) {
    if (net.op === 'delete') continue
    const issues = issuesOfNet(net)
    if (issues.length > 0) wrong.push({ net, issues })
    yield
  }
  const [first] = wrong
  if (!first) return
  const { rows, id, key, cells } = first.net
  throw refusedBy(
    wrong.flatMap(({ issues }) => issues),
    {
      stack: over?.stacks.get(rows, id),
      stored: over ? rows.storedOf(key) : [],
      layer: over?.layer,
      isWritten: (cell) => cells.has(cell),
    },
  )
}

/** Arrivals alone hide a value. A row that moves to another key is a new one, of which the server would not know it. */
function refuseMarks(nets: readonly NetRow[]): void {
  for (const { rows, key, cells } of nets)
    for (const column of rows.schema.model.restricted) {
      const change = cells.get(column.index)
      if (!change || !isHiddenMark(column, change.after)) continue
      const message = 'is hidden from this client: it can neither be written so nor be taken along to another key'
      throw new ValidationError([{ table: rows.schema.model.name, key, path: column.path, keyword: 'type', message }])
    }
}

function issuesOfNet(net: NetRow): ValidationIssue[] {
  const { model } = net.rows.schema
  const found: ValidationIssue[] = []
  const refuse = (column: Column, keyword: string, message: string): void =>
    void found.push({ table: model.name, key: net.key, path: column.path, keyword, message })
  for (const [cell, { after }] of net.cells) {
    if (typeof cell === 'string' || after === null) continue
    const column = model.columns[cell]!
    try {
      encodeColumn(column, decodeColumn(column, after))
      if (column.guard && isAbsent(net, column.guard))
        refuse(column, 'type', `has a value although '${column.guard.path}' is not there`)
    } catch (error) {
      if (error instanceof EncodeFailure) refuse(column, error.keyword, error.message)
      else if (error instanceof MalformedJson) refuse(column, 'type', error.message)
      else if (error instanceof RangeError) refuse(column, 'type', 'is nested too deeply')
      else throw error
    }
  }
  if (found.length > 0) return found
  return issuesOf(net, net.rows.stored(net.rows.rowidOf(net.key)!))
}

function isAbsent(net: NetRow, guard: Column): boolean {
  const changed = net.cells.get(guard.index)
  const value: SqlValue = changed ? changed.after : net.rows.stored(net.rows.rowidOf(net.key)!)[guard.index]!
  return (value ?? guard.defaultSql) !== 1
}

/** Rows as objects. Throws SqlError where two columns share a name, of which one would be lost. */
function toObjects(statement: SqliteStatement, rows: readonly SqlValue[][]): SqlRow[] {
  const { columns } = statement
  if (rows.length === 0) return []
  assertNamesDiffer(columns)
  return rows.map((row) => Object.freeze(Object.fromEntries(columns.map((name, n) => [name, row[n]!]))))
}
