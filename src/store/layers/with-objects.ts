import type { SqlValue } from '../../drivers/index.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { NetRow } from '../rows/cells.ts'
import type { Intent, LayerStacks } from './layer-stacks.ts'

/**
 * What was meant, with the objects around it: who writes a value inside an optional object means the object to be there,
 * also where it is there only by someone else's draft.
 */
export function withObjects(layers: LayerStacks, nets: readonly NetRow[], intents: readonly Intent[]): Intent[] {
  const out = [...intents]
  const add = ({ rows, key, id }: Pick<NetRow, 'rows' | 'key' | 'id'>, cell: CellId, value: SqlValue): void => {
    if (typeof cell === 'string' || value === null) return
    let { guard } = rows.schema.model.columns[cell]!
    if (!guard) return
    const stack = layers.get(rows, id)
    for (; guard; guard = guard.guard)
      if (stack?.cells.has(guard.index)) out.push({ rows, key, id, cell: guard.index, value: null })
  }
  for (const net of nets) if (net.op === 'update') for (const [cell, { after }] of net.cells) add(net, cell, after)
  for (const intent of intents) add(intent, intent.cell, intent.value)
  return out
}
