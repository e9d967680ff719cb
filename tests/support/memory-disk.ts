import type { Persistence, PersistenceSession } from 'rowcast'
import { PersistenceError, type Damage, type PersistedContents } from 'rowcast/persist'

/**
 * A disk in memory: open for one session at a time, slow or full when a test says so, and cut off when its tab is
 * killed.
 */
export class MemoryDisk implements Persistence {
  contents: PersistedContents
  full = false
  /** How many bytes may lie there. */
  limit = Infinity
  /** Whether a snapshot needs room beside what it replaces, as in a folder of files. */
  isBeside = false
  /** How often a snapshot was to be written. */
  replaces = 0
  /** What is broken of what lies there: until a snapshot takes its place. */
  damage: Damage | undefined
  /** Writes wait for it. */
  turn: Promise<void> | undefined
  /** How often it was opened. */
  opens = 0
  #open: object | undefined

  constructor(contents: PersistedContents = { snapshot: undefined, records: [] }) {
    this.contents = contents
  }

  /** How many bytes lie there. */
  get usage(): number {
    return (this.contents.snapshot?.length ?? 0) + sizeOf(this.contents.records)
  }

  open(): Promise<PersistenceSession> {
    if (this.#open) return Promise.reject(new PersistenceError('persistence-in-use', 'open already'))
    const key = {}
    this.#open = key
    this.opens++
    const write = async (bytes: number, work: () => void): Promise<void> => {
      await this.turn
      // The dead never hear of it.
      if (this.#open !== key) return new Promise(() => undefined)
      if (this.full) throw new PersistenceError('quota', 'full', { estimate: { usage: 10, quota: 10 } })
      if (bytes > this.limit)
        throw new PersistenceError('quota', 'full', { estimate: { usage: this.usage, quota: this.limit } })
      work()
    }
    return Promise.resolve({
      load: () => {
        const intact = { ...this.contents, records: [...this.contents.records] }
        if (!this.damage) return Promise.resolve(intact)
        const { damage } = this
        return Promise.reject(new PersistenceError('persistence-damaged', 'damaged', { intact, damage }))
      },
      append: (records) =>
        write(this.usage + sizeOf(records), () => {
          this.contents = { ...this.contents, records: [...this.contents.records, ...records] }
        }),
      replace: (snapshot, records = []) => {
        this.replaces++
        return write((this.isBeside ? this.usage : 0) + snapshot.length + sizeOf(records), () => {
          this.contents = { snapshot, records: [...records] }
          this.damage = undefined
        })
      },
      estimate: () => Promise.resolve(undefined),
      close: () => {
        if (this.#open === key) this.#open = undefined
        return Promise.resolve()
      },
    })
  }
}

function sizeOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, { length }) => sum + length, 0)
}
