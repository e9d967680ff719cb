import type { Key, RowChange } from '../../changes/index.ts'

/**
 * A confirmed change of a row. `put` is the whole row, whether it was there or not. A restricted cell that the server
 * withholds is `HIDDEN`.
 */
export interface Arrival {
  readonly table: string
  readonly key: Key
  readonly op: 'put' | 'update' | 'delete'
  readonly after?: RowChange['after'] | undefined
}
