import { isSchemaObject, targetOf } from './model/facets.ts'

/**
 * The `$ref`s that lead on from a schema, where they come to one of themselves again: no validation would come to an end.
 * `undefined` where they end. Each schema of a document is gone through once.
 *
 * @param root the document that `$ref` points into
 * @param ended those that are known to end: more are added
 */
export function wayBack(root: unknown, start: unknown, ended: Set<unknown>): string[] | undefined {
  const way = new Map<unknown, string>()
  let at = start
  while (isSchemaObject(at) && typeof at['$ref'] === 'string' && !ended.has(at)) {
    if (way.has(at)) return [...way.values()].slice([...way.keys()].indexOf(at))
    way.set(at, at['$ref'])
    at = targetOf(root, at['$ref'])
  }
  for (const schema of way.keys()) ended.add(schema)
  return undefined
}
