import type { CellId } from '../rows/cell-id.ts'
import type { NetRow } from '../rows/cells.ts'
import { byRow } from '../rows/net-rows.ts'
import { guardsOf } from '../rows/objects.ts'
import type { Intent, LayerStacks } from './layer-stacks.ts'
import type { Layer } from './row-stack.ts'

/**
 * What was meant, with the objects around it: who writes a value inside an optional object that is there by someone
 * else's draft means the whole object to be there as it is seen.
 */
export function withObjects(
  layers: LayerStacks,
  layer: Layer | undefined,
  nets: readonly NetRow[],
  intents: readonly Intent[],
): Intent[] {
  const out = [...intents]
  const add = ({ rows, key, id }: Omit<NetRow, 'op' | 'cells'>, cell: CellId, net?: NetRow): void => {
    const stack = rows.hasObjects ? layers.get(rows, id) : undefined
    if (!stack) return
    const { model } = rows.schema
    for (const guard of guardsOf(model, cell)) {
      const top = stack.cells.get(guard.index)?.entries.at(-1)
      if (!top || top.layer === layer || net?.cells.has(guard.index)) continue
      for (const [other, covered] of stack.cells)
        if ((other === guard.index || guardsOf(model, other).includes(guard)) && !net?.cells.has(other))
          out.push({ rows, key, id, cell: other, value: covered.top() })
    }
  }
  for (const net of nets) if (net.op === 'update') for (const cell of net.cells.keys()) add(net, cell, net)
  const netOf = byRow(nets)
  for (const intent of intents) add(intent, intent.cell, netOf(intent))
  return out
}
