import type { SqlValue } from '../../drivers/index.ts'
import type { CellId } from '../rows/cells.ts'
import type { RowStack } from './row-stack.ts'

/** Values that lie over the base: those of an open draft, or of a committed transaction that is not yet confirmed. */
export interface Layer {
  readonly id: string
  readonly kind: 'draft' | 'pending'
  readonly label: string | undefined
  /** The rows in which this layer holds something. */
  readonly stacks: Set<RowStack>
  /** Told when someone else changed or took a cell that this layer holds. */
  conflict(conflict: LayerConflict): void
  /** Told when its entries have changed, or what lies below them. */
  touched(): void
}

/** A cell of a layer that someone else changed. */
export interface LayerConflict {
  readonly stack: RowStack
  /** `row` for the row's existence. */
  readonly cell: CellId | typeof ROW
  /** The layer's own value as stored; for the row 1 or 0. */
  readonly mine: SqlValue
  readonly theirs: SqlValue
  /** Whether the layer has lost the cell; otherwise its value still lies on top. */
  readonly lost: boolean
}

/** The row itself among its cells. No column has this index. */
export const ROW = -1
