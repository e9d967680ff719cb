import { equalValues, keyId, type CellValue } from '../changes/index.ts'
import type { WireRead } from '../transport/index.ts'
import type { Access } from './access.ts'
import type { Committed } from './decided.ts'
import type { Point } from './history.ts'
import { ConflictError } from './refusals.ts'

/** How many entries back it is known what has changed. */
const KEPT = 2_000

/** The newest entries of a log, for transactions that say what they have read. */
export class RecentChanges {
  #entries: Committed[] = []
  /** The entry after which all are known. */
  #since: number
  /** Where they end. */
  #newest: Point

  constructor(since: Point) {
    this.#since = since.sequence
    this.#newest = since
  }

  push(committed: readonly Committed[]): void {
    this.#entries.push(...committed)
    this.#newest = committed.at(-1) ?? this.#newest
    if (this.#entries.length <= 2 * KEPT) return
    this.#entries = this.#entries.slice(-KEPT)
    this.#since = this.#entries[0]!.sequence - 1
  }

  /**
   * Throws ConflictError where something that was read at a point has changed since, here or in `decided`, or where that
   * point is of another history. What the reader can't see has no part in it.
   */
  assertUnchanged(
    reads: readonly WireRead[],
    at: Point | undefined,
    access: Access,
    decided: readonly Committed[],
  ): void {
    if (at === undefined || at.sequence < this.#since) throw new ConflictError('it was decided on a state of long ago')
    const read = new Map(reads.map(({ table, keys }) => [table, keys && new Set(keys.map(keyId))]))
    const from = this.#entries.findLastIndex(({ sequence }) => sequence <= at.sequence)
    const since = [...this.#entries.slice(from + 1), ...decided]
    // Every entry names the history that it goes on from.
    const digest = since[0] ? since[0].record.parent : this.#newest.digest
    if (at.sequence > this.#newest.sequence || (digest !== undefined && digest !== at.digest))
      throw new ConflictError('it was decided on a history that is gone')
    for (const { transitions } of since)
      for (const { change, id, before, after } of transitions) {
        const { table } = change
        if (!read.has(table) || read.get(table)?.has(id) === false) continue
        const shownBefore = before && access.canView(table, before) ? access.shown(table, before) : undefined
        const shownAfter = after && access.canView(table, after) ? access.shown(table, after) : undefined
        if (!shownBefore && !shownAfter) continue
        if (access.withholds(table) && equalValues(shownBefore as CellValue, shownAfter as CellValue)) continue
        throw new ConflictError(`${table} has changed since it was read`)
      }
  }
}
