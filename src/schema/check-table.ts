import { normalPath } from '../changes/index.ts'
import { SchemaError } from '../errors/index.ts'
import { isSchemaObject, type SchemaObject } from './model/facets.ts'
import { checkKeywords } from './check-keywords.ts'
import type { PatternEngine } from './pattern-engine.ts'
import type { TableInput } from './types/index.ts'

const TABLE_KEYS = [
  'primaryKey',
  'indexes',
  'unique',
  'references',
  'restricted',
  'singleton',
  'schema',
  'renames',
  'renamedFrom',
]
const REFERENCE_KEYS = ['table', 'onDelete', 'properties']

/** Checks the shape of one table of a document. Whether its paths and tables exist is told later. Throws SchemaError. */
export function checkTable(
  table: unknown,
  place: string,
  patterns: PatternEngine | undefined,
): asserts table is TableInput {
  if (!isSchemaObject(table)) throw new SchemaError(place, 'expected an object with primaryKey and schema')
  checkMembers(table, TABLE_KEYS, 'a table', place)
  const { singleton, primaryKey, schema } = table
  if (singleton !== undefined && typeof singleton !== 'boolean')
    throw new SchemaError(`${place}.singleton`, `expected true or false, not ${JSON.stringify(singleton)}`)
  if (primaryKey !== undefined && !isNames(primaryKey) && typeof primaryKey !== 'string')
    throw new SchemaError(`${place}.primaryKey`, "expected a property or an array of properties (or 'singleton: true')")
  for (const keyword of ['indexes', 'unique'] as const) checkIndexes(table[keyword], `${place}.${keyword}`)
  checkReferences(table['references'], `${place}.references`)
  checkRestricted(table['restricted'], `${place}.restricted`)
  if (!isSchemaObject(schema)) throw new SchemaError(`${place}.schema`, 'expected a JSON Schema of type object')
  checkKeywords(schema, `${place}.schema`, patterns)
}

function checkIndexes(indexes: unknown, place: string): void {
  if (indexes === undefined) return
  if (!Array.isArray(indexes))
    throw new SchemaError(place, "expected an array of lists of property paths, such as [['layerId', 'rank']]")
  const known = new Set<string>()
  for (const [n, paths] of indexes.entries()) {
    const list: unknown = typeof paths === 'string' ? [paths] : paths
    if (!isNames(list) || list.length === 0)
      throw new SchemaError(`${place}.${n}`, "expected an array of property paths, such as ['layerId', 'rank']")
    const id = JSON.stringify(list.map(normalPath))
    if (known.has(id)) throw new SchemaError(`${place}.${n}`, 'is there twice: remove one of them')
    known.add(id)
  }
}

function checkRestricted(restricted: unknown, place: string): void {
  if (restricted === undefined) return
  if (!isNames(restricted)) throw new SchemaError(place, "expected an array of property paths, such as ['salary']")
  if (new Set(restricted.map(normalPath)).size !== restricted.length)
    throw new SchemaError(place, 'names a property twice')
}

function checkReferences(references: unknown, place: string): void {
  if (references === undefined) return
  if (!isSchemaObject(references))
    throw new SchemaError(place, "expected an object by property, such as { layerId: { table: 'layer' } }")
  for (const [name, reference] of Object.entries(references)) {
    const at = `${place}.${name}`
    if (!isSchemaObject(reference)) throw new SchemaError(at, "expected an object such as { table: 'layer' }")
    checkMembers(reference, REFERENCE_KEYS, 'a reference', at)
    if (typeof reference['table'] !== 'string')
      throw new SchemaError(`${at}.table`, 'expected the name of the table whose key the property holds')
    const { properties } = reference
    if (properties !== undefined && (!isNames(properties) || properties.length === 0))
      throw new SchemaError(`${at}.properties`, 'expected an array of property paths, one for each part of the key')
  }
}

function checkMembers(object: SchemaObject, known: readonly string[], what: string, place: string): void {
  for (const key of Object.keys(object))
    if (!known.includes(key))
      throw new SchemaError(`${place}.${key}`, `is not part of ${what}: expected ${known.join(', ')}`)
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
