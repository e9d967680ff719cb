import {
  deepFreeze,
  keyId,
  noteHidden,
  setOwn,
  type CellValue,
  type Key,
  type KeyId,
  type RowChange,
} from '../../changes/index.ts'
import type { SqlValue } from '../../drivers/index.ts'
import {
  decodeColumn,
  isHiddenMark,
  sameSql,
  type RowObject,
  type StoredCells,
  type TableModel,
} from '../../schema/index.ts'
import type { CellId } from './cell-id.ts'
import { membersOf } from './rest-members.ts'
import type { TableRows } from './table-rows.ts'

/** A cell's value before and after. */
export interface CellChange {
  readonly before: SqlValue
  readonly after: SqlValue
}

/** The net change of one row, in stored values. An insert's cells have NULL before, a delete's NULL after. */
export interface NetRow {
  readonly rows: TableRows
  readonly key: Key
  readonly id: KeyId
  readonly op: 'insert' | 'update' | 'delete'
  readonly cells: ReadonlyMap<CellId, CellChange>
}

/** An inserted row whose cells are known. Its changes are made for the first who looks: often nobody does. */
export class InsertedRow implements NetRow {
  readonly rows: TableRows
  readonly key: Key
  readonly id: KeyId
  readonly op = 'insert'
  readonly rowid: number
  /** By column; what is not among them is NULL. */
  readonly stored: StoredCells
  #cells: Map<CellId, CellChange> | undefined
  #row: RowObject | undefined

  constructor(rows: TableRows, key: Key, rowid: number, stored: StoredCells) {
    this.rows = rows
    this.key = key
    this.id = keyId(key)
    this.rowid = rowid
    this.stored = stored
  }

  /** Lets go of the row, once live queries have looked at it: a ChangeSet may keep this for long. */
  release(): void {
    this.#row = undefined
  }

  /** The row as it was inserted. */
  get row(): RowObject {
    const { codec } = this.rows.schema
    return (this.#row ??= codec.decode(codec.spread(this.stored)))
  }

  get cells(): ReadonlyMap<CellId, CellChange> {
    if (!this.#cells) {
      this.#cells = new Map()
      const { columns, values } = this.stored
      for (const [n, column] of columns.entries())
        if (values[n] !== null) addCell(this.rows.schema.model, this.#cells, column, null, values[n]!)
    }
    return this.#cells
  }
}

/** The cells that differ between two stored rows; an absent row has only NULLs. */
export function compareStored(
  table: TableModel,
  before: readonly SqlValue[] | undefined,
  after: readonly SqlValue[] | undefined,
): Map<CellId, CellChange> {
  const cells = new Map<CellId, CellChange>()
  for (const column of table.columns) {
    const was = before?.[column.index] ?? null
    const is = after?.[column.index] ?? null
    if (!sameSql(was, is)) addCell(table, cells, column.index, was, is)
  }
  return cells
}

/** Adds a column's change, the rest column's taken apart by property. */
export function addCell(
  table: TableModel,
  cells: Map<CellId, CellChange>,
  column: number,
  before: SqlValue,
  after: SqlValue,
): void {
  if (table.rest?.index !== column) {
    cells.set(column, { before, after })
    return
  }
  const was = membersOf(table, before)
  const is = membersOf(table, after)
  for (const path of new Set([...was.keys(), ...is.keys()])) {
    const change = { before: was.get(path) ?? null, after: is.get(path) ?? null }
    if (change.before !== change.after) cells.set(path, change)
  }
}

/** The property path of a cell. */
export function pathOfCell(table: TableModel, cell: CellId): string {
  return typeof cell === 'string' ? cell : table.columns[cell]!.path
}

/** The value that a stored cell stands for: `undefined` where it is absent, at its default or hidden. */
export function valueOfCell(table: TableModel, cell: CellId, stored: SqlValue): CellValue {
  if (typeof cell === 'string')
    return stored === null ? undefined : deepFreeze(JSON.parse(stored as string) as CellValue)
  const value = decodeColumn(table.columns[cell]!, stored)
  return typeof value === 'object' && value !== null ? deepFreeze(value) : value
}

/** The value of a cell of an update as a reader saw it: the default where nothing else is stored. */
function seenValue(net: NetRow, cell: CellId, side: 'before' | 'after'): CellValue {
  const { model } = net.rows.schema
  const stored = net.cells.get(cell)![side]
  const value = valueOfCell(model, cell, stored)
  if (value !== undefined || typeof cell === 'string') return value
  const { guard, defaultValue } = model.columns[cell]!
  if (defaultValue === undefined || isHiddenMark(model.columns[cell]!, stored)) return undefined
  for (let around = guard; around; around = around.guard) {
    const presence = net.cells.get(around.index)
    if (presence && (presence[side] ?? around.defaultSql) !== 1) return undefined
  }
  // Bytes can't be frozen.
  return defaultValue instanceof Uint8Array ? defaultValue.slice() : defaultValue
}

/** A net change as callers see it, by property path. An insert or a delete has what is stored; an update what was seen. */
export function toRowChange(net: NetRow): RowChange {
  const { model } = net.rows.schema
  const before: Record<string, CellValue> = {}
  const after: Record<string, CellValue> = {}
  for (const [cell, change] of net.cells) {
    if (typeof cell === 'number' && model.columns[cell]!.hidden) continue
    const path = pathOfCell(model, cell)
    const was = net.op === 'update' ? seenValue(net, cell, 'before') : valueOfCell(model, cell, change.before)
    const is = net.op === 'update' ? seenValue(net, cell, 'after') : valueOfCell(model, cell, change.after)
    // A reference's explicit null stands beside its column: whichever of the two has a value speaks.
    if (net.op !== 'insert' && !(was === undefined && (net.op === 'delete' || Object.hasOwn(before, path))))
      setOwn(before, path, was)
    if (net.op !== 'delete' && !(is === undefined && (net.op === 'insert' || Object.hasOwn(after, path))))
      setOwn(after, path, is)
  }
  return Object.freeze({
    table: model.name,
    key: net.key,
    op: net.op,
    before: Object.freeze(noteHidden(before, hiddenIn(net, 'before'))),
    after: Object.freeze(noteHidden(after, hiddenIn(net, 'after'))),
  })
}

const none: readonly string[] = []

function hiddenIn(net: NetRow, side: 'before' | 'after'): readonly string[] {
  const { restricted } = net.rows.schema.model
  if (restricted.length === 0) return none
  return restricted
    .filter((column) => isHiddenMark(column, net.cells.get(column.index)?.[side] ?? null))
    .map(({ path }) => path)
}
