import type { RowPredicate } from './api.ts'
import { effectiveSql, quoteName, valueAt, type Column, type ColumnKind, type RowObject } from '../schema/index.ts'
import type { FieldKind, FieldResolver, FilterField, FilterPrice } from './filter/index.ts'
import { parseWhere, pathsIn, priceOf, whereToPredicate } from './filter/index.ts'
import { placeOf, readPath, type Place } from './rows/place.ts'
import type { TableRows } from './rows/table-rows.ts'

const KINDS: { readonly [K in ColumnKind]: FieldKind } = {
  text: 'text',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  int64: 'bigint',
  binary: 'binary',
  union: 'any',
  json: 'json',
  presence: 'json',
  rest: 'json',
}

/** Finds the fields of a table for filters and orders: their SQL over the base table, and their value in a row object. */
export function fieldResolver(rows: TableRows): FieldResolver {
  const { model } = rows.schema
  return (path) => fieldAt(placeOf(model, path), model.rest)
}

/** The fields of a table's key, by which ties are broken. */
export function keyFields(rows: TableRows): FilterField[] {
  return rows.schema.model.key.map((column) => ({
    path: column.path,
    sql: quoteName(column.name),
    kind: KINDS[column.kind],
    get: (row) => valueAt(row as RowObject, column.segments),
  }))
}

/** A `where` as a test of row objects, with the paths that it reads. Throws FilterError and NotFoundError. */
export function compileWhere(rows: TableRows, where: unknown): RowPredicate {
  const node = parseWhere(where, fieldResolver(rows))
  return { test: whereToPredicate(node), paths: pathsIn(node) }
}

/** What a `where` costs, without compiling it. Throws FilterError and NotFoundError. */
export function priceWhere(rows: TableRows, where: unknown): FilterPrice {
  return priceOf(parseWhere(where, fieldResolver(rows)))
}

function fieldAt(place: Place, rest: Column | undefined): FilterField {
  const { path } = place
  if (place.kind === 'object') {
    const { presence } = place.node
    return {
      path,
      sql: presence ? `nullif(${effectiveSql(presence)}, 0)` : '1',
      kind: 'json',
      get: reader(place.node.segments),
    }
  }
  if (place.kind === 'undeclared')
    return { path, sql: jsonSql(quoteName(rest!.name), place.segments), kind: 'any', get: reader(place.segments) }
  const { column, inner } = place
  const get = reader([...column.segments, ...inner])
  if (inner.length > 0) return { path, sql: jsonSql(effectiveSql(column), inner), kind: 'any', get }
  return { path, sql: effectiveSql(column), kind: KINDS[column.kind], get }
}

function reader(segments: readonly string[]): (row: object) => unknown {
  const [first] = segments
  if (segments.length === 1) return (row) => (Object.hasOwn(row, first!) ? (row as RowObject)[first!] : undefined)
  return (row) => readPath(row as RowObject, segments)
}

/** An all-digit segment is an index of an array or a key of an object, as the value has it. */
function jsonSql(source: string, segments: readonly string[]): string {
  let paths = ['$']
  for (const segment of segments) {
    const key = `."${segment.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    paths =
      /^(?:0|[1-9]\d*)$/.test(segment) && paths.length < 8
        ? paths.flatMap((path) => [`${path}[${segment}]`, `${path}${key}`])
        : paths.map((path) => path + key)
  }
  const found = paths.map((path) => `json_extract(${source}, '${path.replaceAll("'", "''")}')`)
  return found.length === 1 ? found[0]! : `coalesce(${found.join(', ')})`
}
