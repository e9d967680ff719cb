import { isSchemaObject } from './model/facets.ts'

const SINGLE = [
  'items',
  'additionalProperties',
  'additionalItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
]
const MAPS = ['properties', 'patternProperties', 'dependentSchemas', 'dependencies']
const LISTS = ['allOf', 'prefixItems', 'items']
/** Each of these is asked only where those before it have failed, or passed: ajv nests them whatever it looks for. */
const ALTERNATIVES = ['anyOf', 'oneOf']

/**
 * How deep the blocks of the code lie in one another that ajv writes for a schema. Where it stops at the first error, what
 * comes later lies inside what comes first: the last of 2,000 properties 2,000 blocks deep, which is more than engines take.
 */
export function codeDepth(schema: unknown, allErrors: boolean): number {
  if (!isSchemaObject(schema)) return 0
  const inner = (one: unknown): number => codeDepth(one, allErrors)
  const inRow = (list: readonly unknown[], nests: boolean): number =>
    list.reduce<number>((deepest, one, n) => Math.max(deepest, (nests ? n : 0) + inner(one)), 0)
  return (
    1 +
    Math.max(
      ...SINGLE.map((keyword) => inner(schema[keyword])),
      ...MAPS.map((keyword) => inRow(membersOf(schema[keyword]), !allErrors)),
      ...LISTS.map((keyword) => inRow(listOf(schema[keyword]), !allErrors)),
      ...ALTERNATIVES.map((keyword) => inRow(listOf(schema[keyword]), true)),
      ...['$defs', 'definitions'].map((keyword) => inRow(membersOf(schema[keyword]), false)),
    )
  )
}

function membersOf(value: unknown): readonly unknown[] {
  return isSchemaObject(value) ? Object.values(value) : []
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
