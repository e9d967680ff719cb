import { keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import type { IndexModel, Reference } from '../../schema/index.ts'
import type { NetRow } from '../rows/cells.ts'
import { getOrAdd } from '../get-or-add.ts'
import type { TableRows } from '../rows/table-rows.ts'
import type { LayerStacks } from './layer-stacks.ts'
import type { Layer, RowStack } from './row-stack.ts'
import { effective, tupleId, versionsOf } from './versions.ts'

/** A row that would have a value if a draft were cancelled. */
interface Holder {
  readonly stack: RowStack
  readonly draft: Layer
}

/** A row under drafts that goes with the changes at hand. */
interface GoneRow {
  readonly stack: RowStack
  readonly gone: NetRow
}

/**
 * The values that rows would have if drafts other than the one that wrote were cancelled, by value: each constraint's are
 * looked up once for all changes of a transaction.
 */
export class ReservedValues {
  readonly #stacks: LayerStacks
  readonly #layer: Layer | undefined
  readonly #nets: readonly NetRow[]
  readonly #byRow = new Map<TableRows, Map<KeyId, NetRow[]>>()
  readonly #unique = new Map<IndexModel, Map<string, Holder[]>>()
  readonly #referring = new Map<Reference, Map<KeyId, Holder[]>>()
  readonly #gone = new Map<Reference, Map<KeyId, GoneRow[]>>()

  constructor(stacks: LayerStacks, layer: Layer | undefined, nets: readonly NetRow[]) {
    this.#stacks = stacks
    this.#layer = layer
    this.#nets = nets
    for (const net of nets) {
      const ofTable = getOrAdd(this.#byRow, net.rows, () => new Map<KeyId, NetRow[]>())
      getOrAdd(ofTable, net.id, () => []).push(net)
    }
  }

  /** Another row for which a unique value is reserved. */
  of({ rows, id }: NetRow, index: IndexModel, values: readonly SqlValue[]): { key: Key; draft: Layer } | undefined {
    const holders = getOrAdd(this.#unique, index, () => {
      const found = new Map<string, Holder[]>()
      for (const stack of this.#stacks.constrained(rows))
        for (const version of versionsOf(stack, index.columns, this.#layer, this.#netsOf(stack).length > 0)) {
          const seen = version.values.map((value, n) => effective(index.columns[n]!, value))
          getOrAdd(found, tupleId(seen), () => []).push({ stack, draft: version.draft })
        }
      return found
    })
    const holder = holders.get(tupleId(values))?.find(({ stack }) => stack.id !== id)
    return holder && { key: holder.stack.key, draft: holder.draft }
  }

  /** The rows that would refer to a row that goes. */
  referringTo(parent: NetRow, child: TableRows, reference: Reference): readonly Holder[] {
    const holders = getOrAdd(this.#referring, reference, () => {
      const found = new Map<KeyId, Holder[]>()
      for (const stack of this.#stacks.constrained(child))
        for (const { values, draft } of versionsOf(
          stack,
          reference.columns,
          this.#layer,
          this.#netsOf(stack).length > 0,
        ))
          if (!values.includes(null))
            getOrAdd(found, keyId(parent.rows.keyFrom(values)), () => []).push({ stack, draft })
      return found
    })
    return holders.get(parent.id) ?? []
  }

  /** The rows under drafts that go too, and that are seen to refer to a row that goes. */
  goneWith(parent: NetRow, child: TableRows, reference: Reference): readonly GoneRow[] {
    const rows = getOrAdd(this.#gone, reference, () => {
      const found = new Map<KeyId, GoneRow[]>()
      for (const gone of this.#nets) {
        if (gone.op !== 'delete' || gone.rows !== child) continue
        const stack = this.#stacks.get(child, gone.id)
        if (!stack) continue
        const parts = reference.columns.map(
          ({ index }) => stack.cells.get(index)?.top() ?? gone.cells.get(index)?.before ?? null,
        )
        if (!parts.includes(null)) getOrAdd(found, keyId(parent.rows.keyFrom(parts)), () => []).push({ stack, gone })
      }
      return found
    })
    return rows.get(parent.id) ?? []
  }

  /** Whether the changes themselves take a row's reference, or the row. */
  clears(stack: RowStack, { columns }: Reference): boolean {
    return this.#netsOf(stack).some(({ op, cells }) => op === 'delete' || columns.some(({ index }) => cells.has(index)))
  }

  /** What is said of a row: what changed, and what was only meant. */
  #netsOf({ rows, id }: RowStack): readonly NetRow[] {
    return this.#byRow.get(rows)?.get(id) ?? none
  }
}

const none: readonly NetRow[] = []
