import { setOwn } from './cell-kind.ts'
import type { Cells, CellValue, ChangeSet, Key, RowChange } from './change-set.ts'
import { equalValues } from './equal.ts'
import { HIDDEN, noteHidden, withHidden, withoutHidden } from './hidden.ts'
import { keyId } from './key.ts'
import type { KeyId } from './key.ts'
import { rowExists, rowMissing } from './row-errors.ts'

/**
 * The net change of several ChangeSets that happened one after the other: one entry a row, and none for a cell or a row
 * that came back to where it was. Rows that were deleted and inserted again are updated in what differs.
 *
 * Order: inserts and updates stand where their row was first touched, deletes where it was deleted. So a row is there
 * before what was made to refer to it afterwards, and what referred to a deleted row has let go of it before: replay
 * sets off no foreign-key action that would take rows along which are to stay. No order of net changes suits every
 * foreign key and unique value (two rows may swap theirs): replay has to defer the former and make way for the latter.
 *
 * The origin is that of the last set (`'local'` without one), label and tag are those of the last set that has one,
 * `draftId` and `transactionId` stay where they are the same in all.
 * @throws ConstraintError or NotFoundError where the sets don't follow from each other (a row inserted twice, an update
 * of a deleted row).
 */
export function squash(sets: readonly ChangeSet[]): ChangeSet {
  const net = new NetChanges()
  for (const { changes } of sets) net.add(changes)
  return { changes: net.changes(), ...headOf(sets) }
}

/** The net change of what is added bit by bit, as `squash` has it. */
export class NetChanges {
  readonly #tables = new Map<string, Map<KeyId, NetRow>>()
  #step = 0

  /** Throws ConstraintError or NotFoundError where the changes don't follow from those before. */
  add(changes: readonly RowChange[]): void {
    for (const change of changes) add(this.#tables, change, this.#step++)
  }

  /** How many rows were touched. */
  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  /** One entry a row, in the order of `squash`. */
  changes(): RowChange[] {
    const rows = [...this.#tables.values()].flatMap((table) => [...table.values()])
    rows.sort((a, b) => positionOf(a) - positionOf(b))
    return rows.map(toChange).filter((change) => change !== undefined)
  }
}

/** The net change of one row so far. An update without cells is kept: the row exists, and more may follow. */
interface NetRow {
  readonly table: string
  readonly key: Key
  readonly first: number
  last: number
  op: RowChange['op']
  before: Map<string, CellValue>
  after: Map<string, CellValue>
}

function add(tables: Map<string, Map<KeyId, NetRow>>, change: RowChange, step: number): void {
  let rows = tables.get(change.table)
  if (rows === undefined) tables.set(change.table, (rows = new Map<KeyId, NetRow>()))
  const id = keyId(change.key)
  const row = rows.get(id)
  if (row === undefined) {
    rows.set(id, {
      table: change.table,
      key: change.key,
      first: step,
      last: step,
      op: change.op,
      before: new Map(Object.entries(withHidden(change.before))),
      after: new Map(Object.entries(withHidden(change.after))),
    })
    return
  }
  row.last = step
  if (change.op === 'insert') addInsert(row, change)
  else if (row.op === 'delete') throw rowMissing(change)
  else if (change.op === 'update') addUpdate(row, change)
  else if (row.op === 'insert') rows.delete(id)
  else addDelete(row, change)
}

function addInsert(row: NetRow, change: RowChange): void {
  if (row.op !== 'delete') throw rowExists(change)
  row.op = 'update'
  row.after = new Map(Object.entries(withHidden(change.after)))
  for (const path of row.after.keys()) {
    if (!row.before.has(path)) row.before.set(path, undefined)
  }
}

function addUpdate(row: NetRow, change: RowChange): void {
  if (row.op === 'update') {
    for (const [path, value] of Object.entries(withHidden(change.before))) {
      if (!row.before.has(path)) row.before.set(path, value)
    }
  }
  for (const [path, value] of Object.entries(withHidden(change.after))) row.after.set(path, value)
}

function addDelete(row: NetRow, change: RowChange): void {
  row.op = 'delete'
  row.before = new Map([...Object.entries(withHidden(change.before)), ...row.before])
  row.after = new Map()
}

function positionOf(row: NetRow): number {
  return row.op === 'delete' ? row.last : row.first
}

function toChange(row: NetRow): RowChange | undefined {
  const { table, key, op } = row
  if (op === 'insert') return { table, key, op, before: {}, after: storedCells(row.after) }
  if (op === 'delete') return { table, key, op, before: storedCells(row.before), after: {} }
  const before: { [path: string]: CellValue } = {}
  const after: { [path: string]: CellValue } = {}
  let differs = false
  for (const [path, value] of row.before) {
    const now = row.after.get(path)
    if (equalValues(value, now)) continue
    setOwn(before, path, value)
    setOwn(after, path, now)
    differs = true
  }
  return differs ? { table, key, op, before: seenCells(before), after: seenCells(after) } : undefined
}

function storedCells(cells: Map<string, CellValue>): Cells {
  const stored: { [path: string]: CellValue } = {}
  for (const [path, value] of cells) {
    if (value !== undefined) setOwn(stored, path, value)
  }
  return withoutHidden(stored)
}

/** An update has the same paths on both sides: what is hidden is `undefined`. */
function seenCells(cells: { [path: string]: CellValue }): Cells {
  const paths = Object.keys(cells).filter((path) => cells[path] === HIDDEN)
  for (const path of paths) setOwn(cells, path, undefined)
  return noteHidden(cells, paths)
}

function headOf(sets: readonly ChangeSet[]): Omit<ChangeSet, 'changes'> {
  const label = sets.findLast((set) => set.label !== undefined)?.label
  const tag = sets.findLast((set) => set.tag !== undefined)?.tag
  const draftId = sets[0]?.draftId
  const transactionId = sets[0]?.transactionId
  return {
    origin: sets.at(-1)?.origin ?? 'local',
    ...(label !== undefined && { label }),
    ...(tag !== undefined && { tag }),
    ...(draftId !== undefined && sets.every((set) => set.draftId === draftId) && { draftId }),
    ...(transactionId !== undefined && sets.every((set) => set.transactionId === transactionId) && { transactionId }),
  }
}
