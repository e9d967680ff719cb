import { keyId, type Key, type KeyId } from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import { effectiveSql, type Column, type IndexModel } from '../../schema/index.ts'
import { getOrAdd } from '../get-or-add.ts'
import { groupRows } from '../rows/net-rows.ts'
import { isThere } from '../rows/objects.ts'
import type { TableRows } from '../rows/table-rows.ts'
import { committedRow } from './committed-rows.ts'
import type { LayerStacks, RowWrite } from './layer-stacks.ts'
import { effective, tupleId } from './versions.ts'

/** A row that would have the same unique values as another. */
export interface SameValues {
  readonly key: Key
  readonly id: KeyId
  /** Those of the constraint. */
  readonly columns: readonly Column[]
}

/**
 * The unique values that rows have once some writes are carried out together, which may pass them between their rows. By
 * what is seen; below drafts, where they are given, by what is committed.
 */
export class PlannedValues {
  readonly #writes: ReadonlyMap<TableRows, ReadonlyMap<KeyId, RowWrite>>
  readonly #drafts: LayerStacks | undefined
  /** The rows that are written, by their values in an index. */
  readonly #written = new Map<IndexModel, Map<string, RowWrite[]>>()
  /** The rows under drafts that are not, by their committed values. */
  readonly #covered = new Map<IndexModel, Map<string, SameValues[]>>()

  constructor(writes: readonly RowWrite[], drafts?: LayerStacks) {
    this.#writes = groupRows(writes)
    this.#drafts = drafts?.empty ? undefined : drafts
  }

  /** The other rows that would have a unique value which a write brings. */
  sameAs(write: RowWrite): SameValues[] {
    const { rows, id } = write
    return rows.schema.model.unique.flatMap((index) => {
      const mine = changesIndex(write, index) ? this.#after(write, index) : undefined
      if (!mine || mine.includes(null)) return []
      const { columns } = index
      const tuple = tupleId(mine)
      const written = (this.#writtenBy(rows, index).get(tuple) ?? []).filter((other) => other.id !== id)
      const seen = this.#seen(rows, index, mine)
      return [
        ...written.map((other) => ({ key: other.key, id: other.id, columns })),
        ...(seen ? [seen] : []),
        ...(this.#drafts ? (this.#coveredBy(rows, index).get(tuple) ?? []) : []),
      ]
    })
  }

  #writtenBy(rows: TableRows, index: IndexModel): Map<string, RowWrite[]> {
    return getOrAdd(this.#written, index, () => {
      const found = new Map<string, RowWrite[]>()
      for (const write of this.#writes.get(rows)?.values() ?? []) {
        const tuple = changesIndex(write, index) ? this.#after(write, index) : undefined
        if (tuple && !tuple.includes(null)) getOrAdd(found, tupleId(tuple), () => []).push(write)
      }
      return found
    })
  }

  #coveredBy(rows: TableRows, index: IndexModel): Map<string, SameValues[]> {
    return getOrAdd(this.#covered, index, () => {
      const found = new Map<string, SameValues[]>()
      for (const stack of this.#drafts!.constrained(rows)) {
        if (!stack.committed || this.#isMoving(rows, stack.id, index)) continue
        const { key, id } = stack
        const stored = committedRow(stack)
        const tuple = tupleOf(index, (column) => stored[column.index]!)
        if (!tuple.includes(null)) getOrAdd(found, tupleId(tuple), () => []).push({ key, id, columns: index.columns })
      }
      return found
    })
  }

  /** The row that is seen with these values, and not written. */
  #seen(rows: TableRows, index: IndexModel, values: readonly SqlValue[]): SameValues | undefined {
    const where = index.columns.map((column) => `${effectiveSql(column)} = ?`).join(' AND ')
    const found = rows.statement(`SELECT rowid FROM ${rows.base} WHERE ${where}`).get(values)
    if (!found) return undefined
    const key = rows.keyAt(Number(found[0]))
    const id = keyId(key)
    const isCovered = this.#drafts && this.#drafts.constrained(rows).has(this.#drafts.get(rows, id)!)
    return isCovered || this.#isMoving(rows, id, index) ? undefined : { key, id, columns: index.columns }
  }

  /** Whether a row is written in these columns, or goes: what it has now stands in nobody's way. */
  #isMoving(rows: TableRows, id: KeyId, index: IndexModel): boolean {
    const write = this.#writes.get(rows)?.get(id)
    return write !== undefined && (write.op === 'delete' || changesIndex(write, index))
  }

  /** A row's values once it is written; `undefined` where it is not there then. */
  #after({ rows, key, id, op, cells }: RowWrite, index: IndexModel): SqlValue[] | undefined {
    const stored = op === 'insert' ? undefined : this.#storedOf(rows, key, id)
    if (op === 'delete' || (op === 'update' && !stored)) return undefined
    return tupleOf(index, (column) =>
      cells.has(column.index) ? cells.get(column.index)! : (stored?.[column.index] ?? null),
    )
  }

  #storedOf(rows: TableRows, key: Key, id: KeyId): readonly SqlValue[] | undefined {
    const draft = this.#drafts?.get(rows, id)
    if (draft) return draft.committed ? committedRow(draft) : undefined
    const rowid = rows.rowidOf(key)
    return rowid === undefined ? undefined : rows.stored(rowid)
  }
}

/** Whether a write may give its row another value in a constraint. */
function changesIndex({ op, cells }: RowWrite, { columns }: IndexModel): boolean {
  return (
    op === 'insert' ||
    (op === 'update' && columns.some((column) => around(column).some(({ index }) => cells.has(index))))
  )
}

/** What a row reads as in a constraint's columns: nothing under an object that is not there. */
function tupleOf({ columns }: IndexModel, valueOf: (column: Column) => SqlValue): SqlValue[] {
  return columns.map((column) => {
    const [, ...guards] = around(column)
    return guards.every((guard) => isThere(guard, valueOf(guard))) ? effective(column, valueOf(column)) : null
  })
}

/** A column, and the presence columns of the objects around it. */
function around(column: Column): Column[] {
  return [column, ...(column.guard ? around(column.guard) : [])]
}
