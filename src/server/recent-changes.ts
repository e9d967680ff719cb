import { equalValues, keyId, memorySize, type CellValue } from '../changes/index.ts'
import type { WireRead } from '../transport/index.ts'
import type { Access } from './access.ts'
import type { Committed } from './decided.ts'
import type { Point } from './history.ts'
import { ConflictError } from './refusals.ts'

/** How many entries back it is known what has changed, where they are not more than the bytes that may be kept. */
const KEPT = 4_000

interface Entry extends Pick<Committed, 'sequence' | 'transitions'> {
  /** The digest of the history that it goes on from. */
  readonly parent: string | undefined
  readonly bytes: number
}

/** The newest entries of a log, for transactions that say what they have read. */
export class RecentChanges {
  /** Entries before `first` are forgotten. */
  #entries: Entry[] = []
  #first = 0
  #bytes = 0
  /** The entry after which all are known. */
  #since: number
  /** Where they end. */
  #newest: Point
  readonly #most: number

  /** @param most bytes that are kept: beyond, the oldest are forgotten */
  constructor(since: Point, most: number) {
    this.#since = since.sequence
    this.#newest = since
    this.#most = most
  }

  push(committed: readonly Committed[]): void {
    this.#newest = committed.at(-1) ?? this.#newest
    for (const { sequence, record, transitions } of committed) {
      const bytes = transitions.reduce((sum, transition) => sum + memorySize(transition), 0)
      this.#entries.push({ sequence, parent: record.parent, transitions, bytes })
      this.#bytes += bytes
      while (this.#bytes > this.#most || this.#entries.length - this.#first > KEPT) this.#forgetOldest()
    }
    if (this.#first <= KEPT) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  #forgetOldest(): void {
    const { sequence, parent, bytes } = this.#entries[this.#first]!
    this.#entries[this.#first++] = { sequence, parent, bytes: 0, transitions: [] }
    this.#bytes -= bytes
    this.#since = sequence
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
    const known = this.#entries.slice(from + 1)
    // Every entry names the history that it goes on from.
    const digest = known[0] ? known[0].parent : this.#newest.digest
    if (at.sequence > this.#newest.sequence || (digest !== undefined && digest !== at.digest))
      throw new ConflictError('it was decided on a history that is gone')
    for (const { transitions } of [...known, ...decided])
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
