import type { CellId } from '../rows/cell-id.ts'
import type { NetRow } from '../rows/cells.ts'
import { hiddenBy } from './blamed-drafts.ts'
import { issuesOf, underneath } from './committed-rows.ts'
import type { LayerStacks } from './layer-stacks.ts'
import type { RowStack } from './row-stack.ts'

/**
 * Checks rows as they will be committed, where drafts lie over some of their cells: what is seen may be valid only
 * because of a draft. Throws ValidationError.
 */
export function checkCommittedRows(stacks: LayerStacks, nets: readonly NetRow[]): void {
  const written = new Map<RowStack, Set<CellId>>()
  for (const net of nets) {
    const stack = net.op === 'delete' ? undefined : stacks.get(net.rows, net.id)
    if (!stack) continue
    const cells = written.get(stack) ?? new Set<CellId>()
    for (const cell of net.cells.keys()) cells.add(cell)
    written.set(stack, cells)
  }
  const wrong = [...written].flatMap(([stack, cells]) => {
    const stored = underneath(stack, (cell) => (cells.has(cell) ? undefined : stack.cells.get(cell)?.committed))
    const issues = issuesOf(stack, stored)
    return issues.length > 0 ? [{ stack, cells, issues }] : []
  })
  const [first] = wrong
  if (!first) return
  const all = wrong.flatMap(({ issues }) => issues)
  throw hiddenBy(all, first.stack, (cell, covered) => (first.cells.has(cell) ? covered.top() : covered.committed))
}
