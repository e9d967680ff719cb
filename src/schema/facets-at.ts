import { isIndex, type Segments } from '../changes/index.ts'
import { refSegments } from './model/facets.ts'
import type { JsonSchema, JsonSchemaObject } from './types/index.ts'

/**
 * Walks a table's JSON Schema to a property: through `$ref`, `allOf`, and an `anyOf`/`oneOf` that only adds null. Also
 * into what is one JSON column, where the table's model ends. Gives every schema object that applies to the property, and
 * whether it must be there.
 */
export function facetsAt(
  root: JsonSchemaObject,
  segments: Segments,
): [facets: readonly JsonSchemaObject[], required: boolean] {
  let facets = flatten(root, root)
  let required = true
  for (const segment of segments) {
    const name = String(segment)
    const around = facets
    required = around.some((facet) => facet.required?.includes(name))
    facets = around.flatMap(({ properties = {}, items, prefixItems, additionalProperties, additionalItems }) => {
      if (Object.hasOwn(properties, name)) return flatten(properties[name], root)
      if ((items ?? prefixItems) === undefined || !isIndex(name)) return flatten(additionalProperties, root)
      required = true
      const list = [prefixItems, items].find(isList)
      return flatten(list?.[Number(name)] ?? (isList(items) ? additionalItems : items), root)
    })
  }
  return [facets, required]
}

function isList(schema: JsonSchemaObject['items' | 'prefixItems']): schema is readonly JsonSchema[] {
  return Array.isArray(schema)
}

function flatten(
  schema: JsonSchema | undefined,
  root: JsonSchemaObject,
  seen: readonly unknown[] = [],
): readonly JsonSchemaObject[] {
  if (typeof schema !== 'object' || seen.includes(schema)) return []
  const { $ref, allOf = [], anyOf, oneOf } = schema
  const inner = [$ref && resolve(root, $ref), ...allOf, ...orNull(anyOf ?? oneOf)] as JsonSchemaObject[]
  return [schema, ...inner.flatMap((one) => flatten(one, root, [...seen, schema]))]
}

/** Of alternatives, null, and the only other one if there is just one. */
function orNull(branches: readonly JsonSchema[] = []): readonly JsonSchema[] {
  const nulls = branches.filter((branch) => (branch as JsonSchemaObject).type === 'null')
  return nulls.length >= branches.length - 1 ? branches : nulls
}

function resolve(root: JsonSchemaObject, ref: string): JsonSchema | undefined {
  let inside: unknown = root
  for (const name of refSegments(ref) ?? []) inside = (inside as Record<string, unknown> | null | undefined)?.[name]
  return inside as JsonSchema | undefined
}
