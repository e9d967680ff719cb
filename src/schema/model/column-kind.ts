import { equalValues, type CellValue } from '../../changes/index.ts'
import { SchemaError } from '../../errors/index.ts'
import type { ColumnKind, ColumnStorage } from './column.ts'
import { isSchemaObject, type Facet, type JsonType, type SchemaObject } from './facets.ts'
import { isObject } from './row-codec.ts'

/** The STRICT type of a column of each kind. */
export const STORAGE: Record<ColumnKind, ColumnStorage> = {
  text: 'TEXT',
  integer: 'INTEGER',
  number: 'REAL',
  boolean: 'INTEGER',
  int64: 'INTEGER',
  binary: 'BLOB',
  union: 'ANY',
  json: 'TEXT',
  presence: 'INTEGER',
  rest: 'TEXT',
}

/** Whether the object at a place becomes columns: its properties are known whatever it holds. */
export function flattens(facets: readonly Facet[], types: ReadonlySet<JsonType>): boolean {
  for (const type of types) if (type !== 'object' && type !== 'null') return false
  if (!types.has('object')) return false
  const branching = facets.some(
    ({ schema }) =>
      ['if', 'not', 'dependentSchemas', 'dependencies'].some((keyword) => schema[keyword] !== undefined) ||
      (['oneOf', 'anyOf'] as const).some(
        (keyword) =>
          Array.isArray(schema[keyword]) &&
          schema[keyword].filter(
            (branch: unknown) => !(isSchemaObject(branch) && (branch['type'] === 'null' || branch['const'] === null)),
          ).length > 1,
      ),
  )
  return (
    !branching &&
    facets.some(({ schema }) => isSchemaObject(schema['properties']) && Object.keys(schema['properties']).length > 0)
  )
}

/** How values of these types are kept. */
export function columnKind(facets: readonly Facet[], types: ReadonlySet<JsonType> | undefined): ColumnKind {
  if (!types) return 'json'
  const rest = new Set(types)
  rest.delete('null')
  if (rest.size === 0 || rest.has('object') || rest.has('array')) return 'json'
  const hasNumber = rest.has('number') || rest.has('integer')
  if (rest.has('boolean')) return rest.size === 1 ? 'boolean' : 'json'
  if (rest.has('string')) {
    if (hasNumber) return 'union'
    return facets.some(({ schema }) => schema['contentEncoding'] === 'base64') ? 'binary' : 'text'
  }
  if (rest.has('number')) return 'number'
  return facets.some(({ schema }) => schema['format'] === 'int64') ? 'int64' : 'integer'
}

/** A 64-bit integer can't be told from a rounded one in JSON text. */
export function refuseInJson(facets: readonly Facet[], place: string): void {
  const seen = new Set<unknown>()
  const visit = (schema: unknown, at: string): void => {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return
    seen.add(schema)
    const { format, type } = schema as SchemaObject
    if (format === 'int64' && type !== 'string')
      throw new SchemaError(
        at,
        'format int64 has no mapping inside an array or a free-form object: use a string there, or a property of its own',
      )
    for (const [keyword, value] of Object.entries(schema))
      if (!['default', 'const', 'enum', 'examples'].includes(keyword)) visit(value, `${at}.${keyword}`)
  }
  for (const facet of facets) visit(facet.schema, place)
}

/** Whether a value says nothing that another does not say too: every member of it equals the other's. */
export function isWithin(value: CellValue, whole: CellValue): boolean {
  if (!isObject(value) || !isObject(whole)) return equalValues(value, whole)
  return Object.keys(value).every((name) => Object.hasOwn(whole, name) && isWithin(value[name], whole[name]))
}

/** The default that a schema gives to the value itself. */
export function ownDefault(facets: readonly Facet[]): CellValue {
  for (const { schema } of facets)
    if (isSchemaObject(schema) && schema['default'] !== undefined) return schema['default'] as CellValue
  return undefined
}
