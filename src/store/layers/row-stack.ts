import { rowIdOf, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { CellId } from '../rows/cell-id.ts'
import type { TableRows } from '../rows/table-rows.ts'

/** What a layer holds for a cell. */
export interface StackEntry {
  readonly layer: Layer
  readonly value: SqlValue
}

/**
 * The values of one cell that layers hold, bottom first: the base, then the layers with the last to write on top. Over the
 * committed state these are drafts; over the confirmed one transactions that wait for their verdict
 * (docs/decisions/008). The topmost is what is seen from above.
 */
export class CellStack {
  base: SqlValue
  entries: StackEntry[] = []

  constructor(base: SqlValue) {
    this.base = base
  }

  /** The effective value; as it would be without a layer, if one is given. */
  top(without?: Layer): SqlValue {
    return this.topBut((layer) => layer === without)
  }

  /** The effective value as it would be without some layers. */
  topBut(isGone: (layer: Layer) => boolean): SqlValue {
    for (let at = this.entries.length - 1; at >= 0; at--)
      if (!isGone(this.entries[at]!.layer)) return this.entries[at]!.value
    return this.base
  }

  /** The value that lies below the layers. */
  get committed(): SqlValue {
    return this.base
  }

  /** What is committed once a layer is: its own value where it has one, which may be NULL. */
  committedWith(layer: Layer): SqlValue {
    const own = this.of(layer)
    return own ? own.value : this.committed
  }

  of(layer: Layer): StackEntry | undefined {
    return this.entries.find((entry) => entry.layer === layer)
  }

  /** Puts a layer's value on top. */
  put(layer: Layer, value: SqlValue): void {
    const last = this.entries.length - 1
    if (last >= 0 && this.entries[last]!.layer === layer) {
      this.entries[last] = { layer, value }
      return
    }
    this.drop(layer)
    this.entries.push({ layer, value })
  }

  drop(layer: Layer): void {
    const at = this.entries.findIndex((entry) => entry.layer === layer)
    if (at >= 0) this.entries.splice(at, 1)
  }
}

/** The list of a row that no layer holds anything of. */
export const nobody: ReadonlySet<Layer> = new Set()

/** The stacks of one row. Whether the row exists is a cell too: 1 or 0. */
export class RowStack {
  readonly rows: TableRows
  readonly key: Key
  readonly id: KeyId
  exists: CellStack | undefined
  /** A stack without entries keeps what a hidden row had in a cell. */
  readonly cells: Map<CellId, CellStack> = new Map()
  /**
   * Whether anything but one layer's own writes has been at it: then what that layer would commit may be another row than
   * the one that was seen, and checked, when it wrote.
   */
  disturbed = false
  /** The layers that have it on their lists. */
  listedBy: ReadonlySet<Layer> = nobody
  readonly #constrained: Set<RowStack>

  /** @param constrained where it puts itself once it concerns a constraint: the row itself, or a cell of one */
  constructor(rows: TableRows, key: Key, id: KeyId, constrained: Set<RowStack>) {
    this.rows = rows
    this.key = key
    this.id = id
    this.#constrained = constrained
  }

  /** Whether the row exists, as a cell; `base`: what it is below the layers, where that is not known yet. */
  existence(base: SqlValue): CellStack {
    this.#constrained.add(this)
    return (this.exists ??= new CellStack(base))
  }

  /** Whether the row is there in the committed state. */
  get committed(): boolean {
    return this.exists === undefined || this.exists.committed === 1
  }

  /** Whether the row is visible; as it would be without a layer, if one is given. */
  visible(without?: Layer): boolean {
    return this.exists === undefined || this.exists.top(without) === 1
  }

  /** The layer that has put the row there anew, after one below it deleted the row of the base. */
  get replacing(): Layer | undefined {
    const entries = this.exists?.entries ?? []
    const top = entries.at(-1)
    return top?.value === 1 && entries.some(({ value }) => value === 0) ? top.layer : undefined
  }

  /** The layers that hold anything of this row. */
  layers(): Set<Layer> {
    const layers = new Set<Layer>()
    for (const entry of this.exists?.entries ?? []) layers.add(entry.layer)
    for (const stack of this.cells.values()) for (const entry of stack.entries) layers.add(entry.layer)
    return layers
  }

  cell(cell: CellId, base: SqlValue): CellStack {
    let stack = this.cells.get(cell)
    if (!stack) {
      this.cells.set(cell, (stack = new CellStack(base)))
      if (this.rows.constrained.has(cell)) this.#constrained.add(this)
    }
    return stack
  }
}

/** Names the row of a stack, table included. */
export function rowOf({ rows, key }: RowStack): string {
  return rowIdOf({ table: rows.schema.model.name, key })
}

/** Values that lie over the base: those of an open draft, or of a committed transaction that is not yet confirmed. */
export interface Layer {
  readonly id: string
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
  readonly cell: CellId
  /** The layer's own value as stored; for the row 1 or 0. */
  readonly mine: SqlValue
  readonly theirs: SqlValue
  /** What lay below before the first change that is not dealt with. */
  readonly since: SqlValue
  /** Whether the layer has lost the cell; otherwise its value still lies on top. */
  readonly lost: boolean
  /** Whether it was lost with all that the layer held of the row, which could not be valid any more. */
  readonly withdrawn?: boolean
}

/** The row itself among its cells. No column has this index. */
export const ROW = -1
