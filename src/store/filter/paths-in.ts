import type { FilterNode } from './filter-node.ts'
import type { Ordering } from './order-by.ts'

/** The property paths that a filter and an order read: nothing else in a row can change what they say. */
export function pathsIn(node: FilterNode, ordering?: Ordering): ReadonlySet<string> {
  const paths = new Set<string>()
  collect(node, paths)
  for (const field of ordering?.fields ?? []) paths.add(field.path)
  return paths
}

function collect(node: FilterNode, paths: Set<string>): void {
  switch (node.kind) {
    case 'and':
    case 'or':
      for (const child of node.nodes) collect(child, paths)
      return
    case 'not':
      collect(node.node, paths)
      return
    default:
      paths.add(node.field.path)
  }
}
