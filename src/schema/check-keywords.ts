import { SchemaError } from '../errors/index.ts'
import { isSchemaObject, refSegments, type SchemaObject } from './model/facets.ts'
import { wayBack } from './way-back.ts'
import { meantKeyword } from './known-keywords.ts'
import type { PatternEngine } from './pattern-engine.ts'

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
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']

/**
 * Checks the shape of those keywords of a JSON Schema that decide columns, everywhere in it, so that the rest need not
 * ask; and whether its patterns can be had, where an engine is given. Everything else is ajv's to judge. Throws SchemaError with the path of the keyword.
 */
export function checkKeywords(schema: unknown, place: string, patterns?: PatternEngine): void {
  checkWithin({ root: schema, patterns, ended: new Set() }, schema, place)
}

/** The whole that a schema is a part of, and what its patterns are had from. */
interface Whole {
  readonly root: unknown
  readonly patterns: PatternEngine | undefined
  /** Schemas whose references are known to end. */
  readonly ended: Set<unknown>
}

function checkWithin(whole: Whole, schema: unknown, place: string): void {
  const { patterns } = whole
  if (typeof schema === 'boolean') return
  if (!isSchemaObject(schema)) throw new SchemaError(place, 'expected a JSON Schema: an object, true or false')
  checkSpelling(schema, place)
  checkType(schema['type'], `${place}.type`)
  checkNames(schema['required'], `${place}.required`)
  checkRef(whole, schema, `${place}.$ref`)
  if (schema['$async'] !== undefined)
    throw new SchemaError(`${place}.$async`, 'is not supported: rows are validated at once, remove it')
  if (schema['enum'] !== undefined && !Array.isArray(schema['enum']))
    throw new SchemaError(`${place}.enum`, 'expected an array of values')
  for (const keyword of SCHEMAS)
    if (schema[keyword] !== undefined) checkWithin(whole, schema[keyword], `${place}.${keyword}`)
  for (const keyword of LISTS)
    if (schema[keyword] !== undefined) checkList(whole, schema[keyword], `${place}.${keyword}`)
  for (const keyword of MAPS) if (schema[keyword] !== undefined) checkMap(whole, schema[keyword], `${place}.${keyword}`)
  const { items, pattern, patternProperties, dependencies } = schema
  if (patterns && typeof pattern === 'string') checkPattern(pattern, `${place}.pattern`, patterns)
  if (patterns)
    for (const name of Object.keys(patternProperties ?? {}))
      checkPattern(name, `${place}.patternProperties.${name}`, patterns)
  // Draft 7 has names of properties there as well.
  for (const [name, one] of Object.entries(isSchemaObject(dependencies) ? dependencies : {}))
    if (!Array.isArray(one)) checkWithin(whole, one, `${place}.dependencies.${name}`)
  if (Array.isArray(items)) checkList(whole, items, `${place}.items`)
  else if (items !== undefined) checkWithin(whole, items, `${place}.items`)
}

/** A keyword that nobody knows is passed over, and with it what it was to say. */
function checkSpelling(schema: SchemaObject, place: string): void {
  for (const keyword of Object.keys(schema)) {
    const meant = meantKeyword(keyword)
    if (meant !== undefined)
      throw new SchemaError(
        `${place}.${keyword}`,
        `is no keyword of JSON Schema: write ${meant}, or begin one of your own with 'x-'`,
      )
  }
}

function checkList(whole: Whole, schemas: unknown, place: string): void {
  if (!Array.isArray(schemas)) throw new SchemaError(place, 'expected an array of schemas')
  for (const [index, one] of schemas.entries()) checkWithin(whole, one, `${place}.${index}`)
}

function checkMap(whole: Whole, schemas: unknown, place: string): void {
  if (!isSchemaObject(schemas)) throw new SchemaError(place, 'expected an object of schemas by name')
  for (const [name, one] of Object.entries(schemas)) checkWithin(whole, one, `${place}.${name}`)
}

function checkPattern(pattern: string, place: string, patterns: PatternEngine): void {
  try {
    patterns(pattern)
  } catch (cause) {
    throw new SchemaError(place, cause instanceof Error ? cause.message : String(cause), { cause })
  }
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

function checkRef({ root, ended }: Whole, schema: SchemaObject, place: string): void {
  const ref = schema['$ref']
  if (ref === undefined) return
  if (typeof ref !== 'string') throw new SchemaError(place, "expected a text such as '#/$defs/…'")
  if (refSegments(ref) === undefined)
    throw new SchemaError(place, `'${ref}' has a percent sign that stands for no character: write % as %25`)
  const way = wayBack(root, schema, ended)
  if (way) throw new SchemaError(place, `refers to itself by '${way.join("', '")}', without an end`)
}
