import type { RowPredicate } from './api.ts'
import {
  effectiveSql,
  placeOf,
  quoteName,
  readPath,
  valueAt,
  type Column,
  type ColumnKind,
  type Inner,
  type Place,
  type RowObject,
} from '../schema/index.ts'
import type { FieldKind, FieldResolver, FilterField, FilterPrice } from './filter/index.ts'
import { jsonSql, parseWhere, pathsIn, priceOf, whereToPredicate } from './filter/index.ts'
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
  const get = reader(place.segments)
  if (place.kind === 'object') {
    const { presence } = place.node
    return {
      path,
      sql: presence ? `nullif(${effectiveSql(presence)}, 0)` : '1',
      kind: 'json',
      get,
    }
  }
  if (place.kind === 'undeclared')
    return { path, sql: jsonSql(quoteName(rest!.name), restPath(place)), kind: 'any', get }
  const { column } = place
  if (place.inner.length > 0) return { path, sql: jsonSql(effectiveSql(column), place), kind: 'any', get }
  return { path, sql: effectiveSql(column), kind: KINDS[column.kind], get }
}

function reader(segments: readonly string[]): (row: object) => unknown {
  const [first] = segments
  if (segments.length === 1) return (row) => (Object.hasOwn(row, first!) ? (row as RowObject)[first!] : undefined)
  return (row) => readPath(row as RowObject, segments)
}

/** The way to an undeclared property, or a place within it, from the row: by names down to the property itself. */
function restPath({ segments, member, steps }: Extract<Place, { readonly kind: 'undeclared' }>): Inner {
  return { inner: segments, steps: [...member.map(() => 'name' as const), ...steps] }
}
