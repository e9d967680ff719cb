import { SchemaError } from '../errors/index.ts'
import { KEYWORDS } from './check-keywords.ts'
import { isSchemaObject } from './model/facets.ts'
import type { PatternEngine } from './pattern-engine.ts'

/** Throws SchemaError, with the path of the pattern, where an engine can't make one that a checked JSON Schema has. */
export function checkPatterns(schema: unknown, place: string, engine: PatternEngine): void {
  if (!isSchemaObject(schema)) return
  const { pattern, patternProperties } = schema
  if (typeof pattern === 'string') checkPattern(pattern, `${place}.pattern`, engine)
  if (isSchemaObject(patternProperties))
    for (const name of Object.keys(patternProperties)) checkPattern(name, `${place}.patternProperties.${name}`, engine)
  const inner = (value: unknown, at: string): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) checkPatterns(one, `${at}.${index}`, engine)
    else checkPatterns(value, at, engine)
  }
  for (const keyword of [...KEYWORDS.schemas, ...KEYWORDS.lists, 'items']) inner(schema[keyword], `${place}.${keyword}`)
  for (const keyword of KEYWORDS.maps)
    if (isSchemaObject(schema[keyword]))
      for (const [name, one] of Object.entries(schema[keyword])) inner(one, `${place}.${keyword}.${name}`)
}

function checkPattern(pattern: string, place: string, engine: PatternEngine): void {
  try {
    engine(pattern)
  } catch (cause) {
    throw new SchemaError(place, cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
