import { SchemaError } from '../errors/index.ts'
import { isSchemaObject, refSegments } from './model/facets.ts'

const SCHEMAS = [
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'contentSchema',
  'not',
  'if',
  'then',
  'else',
]
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
/** Where schemas lie in a schema: one, a list of them, or an object of them by name; `items` is one or a list. */
export const KEYWORDS = { schemas: SCHEMAS, lists: LISTS, maps: MAPS } as const
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']

/**
 * Checks the shape of those keywords of a JSON Schema that decide columns, everywhere in it, so that the rest need not
 * ask. Everything else is ajv's to judge. Throws SchemaError with the path of the keyword.
 */
export function checkKeywords(schema: unknown, place: string): void {
  if (typeof schema === 'boolean') return
  if (!isSchemaObject(schema)) throw new SchemaError(place, 'expected a JSON Schema: an object, true or false')
  checkType(schema['type'], `${place}.type`)
  checkNames(schema['required'], `${place}.required`)
  checkRef(schema['$ref'], `${place}.$ref`)
  if (schema['$async'] !== undefined)
    throw new SchemaError(`${place}.$async`, 'is not supported: rows are validated at once, remove it')
  if (schema['enum'] !== undefined && !Array.isArray(schema['enum']))
    throw new SchemaError(`${place}.enum`, 'expected an array of values')
  for (const keyword of SCHEMAS)
    if (schema[keyword] !== undefined) checkKeywords(schema[keyword], `${place}.${keyword}`)
  for (const keyword of LISTS) if (schema[keyword] !== undefined) checkList(schema[keyword], `${place}.${keyword}`)
  for (const keyword of MAPS) if (schema[keyword] !== undefined) checkMap(schema[keyword], `${place}.${keyword}`)
  const { items } = schema
  if (Array.isArray(items)) checkList(items, `${place}.items`)
  else if (items !== undefined) checkKeywords(items, `${place}.items`)
}

function checkList(schemas: unknown, place: string): void {
  if (!Array.isArray(schemas)) throw new SchemaError(place, 'expected an array of schemas')
  for (const [index, one] of schemas.entries()) checkKeywords(one, `${place}.${index}`)
}

function checkMap(schemas: unknown, place: string): void {
  if (!isSchemaObject(schemas)) throw new SchemaError(place, 'expected an object of schemas by name')
  for (const [name, one] of Object.entries(schemas)) checkKeywords(one, `${place}.${name}`)
}

function checkType(type: unknown, place: string): void {
  if (type === undefined) return
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  if (types.length === 0 || !types.every((one) => typeof one === 'string' && TYPES.includes(one)))
    throw new SchemaError(place, `${JSON.stringify(type)} is no type: expected one or several of ${TYPES.join(', ')}`)
}

function checkNames(names: unknown, place: string): void {
  if (names === undefined) return
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new SchemaError(place, 'expected an array of property names')
}

function checkRef(ref: unknown, place: string): void {
  if (ref === undefined) return
  if (typeof ref !== 'string') throw new SchemaError(place, "expected a text such as '#/$defs/…'")
  if (refSegments(ref) === undefined)
    throw new SchemaError(place, `'${ref}' has a percent sign that stands for no character: write % as %25`)
}
