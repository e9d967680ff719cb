import { isColumn, type Column, type ObjectNode } from '../model/column.ts'

/** What a schema declares at a path. `inside`: the path leads on into a JSON column, which takes anything there. */
export type Located = { readonly node: ObjectNode | Column; readonly inside: boolean }

/** What the table declares at a path, `undefined` if nothing. */
export function locate(root: ObjectNode, segments: readonly string[]): Located | undefined {
  let node: ObjectNode | Column = root
  for (const segment of segments) {
    if (isColumn(node)) return node.kind === 'json' ? { node, inside: true } : undefined
    const child: ObjectNode | Column | undefined = node.properties.get(segment)
    if (child === undefined) return undefined
    node = child
  }
  return { node, inside: false }
}

/** Whether the table itself declares a property or object at a path. */
export function declares(root: ObjectNode, segments: readonly string[]): boolean {
  const found = locate(root, segments)
  return found !== undefined && !found.inside
}
