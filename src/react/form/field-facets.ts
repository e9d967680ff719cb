import type { Segments } from '../../changes/index.ts'
import type { JsonSchema, JsonSchemaObject } from '../../schema/index.ts'

/** Every schema object that applies to a property, and whether it must be there. */
export interface FieldFacets {
  readonly facets: readonly JsonSchemaObject[]
  readonly required: boolean
}

/** Walks a table's JSON Schema to a property: through `$ref`, `allOf`, and an `anyOf`/`oneOf` that only adds null. */
export function fieldFacets(root: JsonSchemaObject, segments: Segments): FieldFacets {
  let facets = flatten(root, root)
  let required = true
  for (const segment of segments) {
    const name = String(segment)
    const children: (JsonSchema | undefined)[] = []
    required = false
    for (const facet of facets) {
      if (facet.required?.includes(name)) required = true
      const own = facet.properties !== undefined && Object.hasOwn(facet.properties, name)
      if (own) children.push(facet.properties?.[name])
      else if (!/^\d+$/.test(name) || !hasItems(facet)) children.push(facet.additionalProperties)
      else {
        required = true
        children.push(itemSchema(facet, Number(name)))
      }
    }
    facets = children.flatMap((child) => flatten(child, root))
  }
  return { facets, required }
}

function hasItems(facet: JsonSchemaObject): boolean {
  return facet.items !== undefined || facet.prefixItems !== undefined
}

function itemSchema({ items, prefixItems, additionalItems }: JsonSchemaObject, index: number): JsonSchema | undefined {
  if (Array.isArray(items)) return (items as readonly JsonSchema[])[index] ?? additionalItems
  return prefixItems?.[index] ?? (items as JsonSchema | undefined)
}

function flatten(
  schema: JsonSchema | undefined,
  root: JsonSchemaObject,
  seen: readonly unknown[] = [],
): JsonSchemaObject[] {
  if (typeof schema !== 'object' || schema === null || seen.includes(schema)) return []
  const chain = [...seen, schema]
  const branch = nonNullBranch(schema.anyOf) ?? nonNullBranch(schema.oneOf)
  return [
    schema,
    ...flatten(schema.$ref === undefined ? undefined : resolve(schema.$ref, root), root, chain),
    ...(schema.allOf ?? []).flatMap((one) => flatten(one, root, chain)),
    ...flatten(branch, root, chain),
  ]
}

function nonNullBranch(branches: readonly JsonSchema[] | undefined): JsonSchema | undefined {
  if (branches === undefined || branches.length < 2) return undefined
  const others = branches.filter((branch) => typeof branch === 'boolean' || branch.type !== 'null')
  return others.length === 1 ? others[0] : undefined
}

function resolve(ref: string, root: JsonSchemaObject): JsonSchema | undefined {
  let schema: unknown = root
  for (const part of ref.split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    schema =
      typeof schema === 'object' && schema !== null && Object.hasOwn(schema, name)
        ? Reflect.get(schema, name)
        : undefined
  }
  return schema as JsonSchema | undefined
}
