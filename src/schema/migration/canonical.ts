import { isSchemaObject } from '../model/facets.ts'
import type { SchemaInput, TableInput } from '../types/index.ts'

/** Keywords that say nothing about which rows are valid or how they are stored. */
const ANNOTATIONS = new Set(['title', 'description', '$comment', 'examples'])
/** Keywords whose members are named by the user: a property may well be called `title`. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'])
/** Keywords whose value is data, not a schema. */
const DATA = new Set(['default', 'const', 'enum', 'required', 'dependentRequired'])

/** The document as it is stored: plain JSON, without `migrations`. */
export function schemaDocument(definition: SchemaInput): string {
  const { migrations: _code, ...document } = definition
  return JSON.stringify(document)
}

/** A text that is equal for two schema documents that mean the same tables: without annotations, keys in order. */
export function canonicalDocument(definition: SchemaInput): string {
  const tables = Object.entries(definition.tables).map(([name, table]) => [name, canonicalTable(table)] as const)
  return stable(Object.fromEntries(tables))
}

/** The same for one table. What it was called before is no part of what it is. */
export function canonicalTable(table: TableInput): string {
  const { schema, renames: _renames, renamedFrom: _renamedFrom, ...rest } = table
  return stable({ ...rest, schema: withoutAnnotations(schema) })
}

/** The same without the indexes, which don't touch the rows. */
export function canonicalRows(table: TableInput): string {
  const { indexes: _indexes, ...rest } = table
  return canonicalTable(rest)
}

function withoutAnnotations(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutAnnotations)
  if (!isSchemaObject(schema)) return schema
  const kept: [string, unknown][] = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue
    if (DATA.has(keyword)) kept.push([keyword, value])
    else if (NAMED.has(keyword) && isSchemaObject(value))
      kept.push([
        keyword,
        Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutAnnotations(one)])),
      ])
    else kept.push([keyword, withoutAnnotations(value)])
  }
  return Object.fromEntries(kept)
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    isSchemaObject(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : one,
  )
}
