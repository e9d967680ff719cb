import { memorySize, type ChangeSet, type RowChange } from '../changes/index.ts'
import { bytesOfRow } from './rows/cached-row.ts'
import { InsertedRow, type NetRow } from './rows/cells.ts'

const CHANGE_BYTES = 300
const CELL_BYTES = 100

/** What ChangeSets take whose changes are put into words only when somebody looks. */
const unworded = new WeakMap<ChangeSet, number>()

/** Notes what a ChangeSet takes, so that nobody needs to look at its changes for that. */
export function noteBytes(set: ChangeSet, nets: readonly NetRow[]): void {
  let bytes = 0
  for (const net of nets) bytes += CHANGE_BYTES + bytesOfNet(net)
  unworded.set(set, bytes)
}

/** What a ChangeSet takes in memory, about, in bytes. */
export function bytesOfChanges(set: ChangeSet): number {
  return unworded.get(set) ?? set.changes.reduce((sum, change) => sum + bytesOfChange(change), 0)
}

function bytesOfChange({ before, after }: RowChange): number {
  return CHANGE_BYTES + memorySize(before) + memorySize(after)
}

function bytesOfNet(net: NetRow): number {
  if (net instanceof InsertedRow) return bytesOfRow(net.stored.values)
  let bytes = 0
  for (const { before, after } of net.cells.values()) bytes += CELL_BYTES + memorySize(before) + memorySize(after)
  return bytes
}
