import type { JsonSchemaObject } from '../../schema/index.ts'

/** One schema object that says what several say: of two limits the tighter one, otherwise what is said first. */
export function mergeFacets(facets: readonly JsonSchemaObject[]): JsonSchemaObject {
  const merged: Record<string, unknown> = {}
  for (const [keyword, value] of facets.flatMap((facet) =>
    Object.entries(facet as { readonly [keyword: string]: unknown }),
  )) {
    const first = merged[keyword]
    if (typeof first !== 'number' || typeof value !== 'number') merged[keyword] = first ?? value
    else merged[keyword] = /max/i.test(keyword) ? Math.min(first, value) : Math.max(first, value)
  }
  return merged
}
