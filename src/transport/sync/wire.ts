import { rowIdOf, type RowChange } from '../../changes/index.ts'
import type { WireChange } from '../protocol/messages.ts'

/** Changes as they travel. What was meant beyond them goes with the row's change. */
export function toWire(changes: readonly RowChange[], meant: readonly RowChange[], withBefore: boolean): WireChange[] {
  const out: WireChange[] = []
  const places = new Map<string, number>()
  const add = (change: WireChange): void => {
    const place = rowIdOf(change)
    const known = places.get(place)
    if (known === undefined) {
      places.set(place, out.length)
      out.push(change)
    } else if (out[known]!.op === 'update') {
      out[known] = { ...out[known]!, after: { ...change.after, ...out[known]!.after } }
    }
  }
  for (const { table, key, op, before, after } of changes)
    add(
      op === 'delete'
        ? { table, key, op }
        : op === 'insert'
          ? { table, key, op: 'put', after }
          : { table, key, op, after, ...(withBefore && { before }) },
    )
  for (const { table, key, after } of meant) add({ table, key, op: 'update', after })
  return out
}
