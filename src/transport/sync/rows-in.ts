import { rowIdOf } from '../../changes/index.ts'
import type { Arrival } from '../../store/index.ts'
import type { RowsMessage } from '../protocol/messages.ts'

/** The rows of a message, and those that have gone again, as arrivals. */
export function rowsIn({ rows, gone = [] }: RowsMessage): Arrival[] {
  return [
    ...rows.map(([table, key, after]): Arrival => ({ table, key, op: 'put', after })),
    ...gone.map(([table, key]): Arrival => ({ table, key, op: 'delete' })),
  ]
}

/** Of each row the last that was said. */
export function netOf(arrivals: readonly Arrival[]): Arrival[] {
  return [...new Map(arrivals.map((arrival) => [rowIdOf(arrival), arrival])).values()]
}
