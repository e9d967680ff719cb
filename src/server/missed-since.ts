import { NetChanges, type RowChange } from '../changes/index.ts'
import { NotFoundError } from '../errors/index.ts'
import type { Point } from './history.ts'
import type { LiveDatabase } from './live-database.ts'
import { Turn } from './turns.ts'

/**
 * What has changed in a database since a point, net: read from its log in turns, while transactions go on. `until` then
 * takes in, between transactions, the few that have come meanwhile.
 */
export class MissedSince {
  readonly #database: LiveDatabase
  readonly #net = new NetChanges()
  #sequence: number

  private constructor(database: LiveDatabase, { sequence }: Point) {
    this.#database = database
    this.#sequence = sequence
  }

  /**
   * `undefined` where that is more than `most` entries, or no longer known, or where the point is of another history than
   * the database.
   */
  static async read(database: LiveDatabase, point: Point, most: number): Promise<MissedSince | undefined> {
    const known = await database.run(() => database.pointAt(point.sequence))
    if (known?.digest !== point.digest || database.sequence - point.sequence > most) return undefined
    const missed = new MissedSince(database, point)
    return (await missed.#readOn()) ? missed : undefined
  }

  /** All of it, up to the state as it is. Between transactions. `undefined` where it is no longer known. */
  async finish(): Promise<readonly RowChange[] | undefined> {
    return (await this.#readOn()) ? this.#net.changes() : undefined
  }

  async #readOn(): Promise<boolean> {
    const { sequence: last } = this.#database
    if (this.#sequence >= last) return true
    const turn = new Turn()
    try {
      for await (const { sequence, record } of this.#database.history(this.#sequence + 1, last - this.#sequence)) {
        // Too much has changed at once.
        if (record.kind === 'part' || record.parts !== undefined) return false
        this.#net.add(record.changes)
        this.#sequence = sequence
        if (turn.over) await turn.pause()
      }
      return true
    } catch (error) {
      if (error instanceof NotFoundError) return false
      throw error
    }
  }
}
