import type { Persistence, PersistenceSession } from 'rowcast'
import { PersistenceError, type PersistedContents } from 'rowcast/persist'

/**
 * A disk in memory: open for one session at a time, slow or full when a test says so, and cut off when its tab is
 * killed.
 */
export class MemoryDisk implements Persistence {
  contents: PersistedContents
  full = false
  /** Writes wait for it. */
  turn: Promise<void> | undefined
  /** How often it was opened. */
  opens = 0
  #open: object | undefined

  constructor(contents: PersistedContents = { snapshot: undefined, records: [] }) {
    this.contents = contents
  }

  open(): Promise<PersistenceSession> {
    if (this.#open) return Promise.reject(new PersistenceError('persistence-in-use', 'open already'))
    const key = {}
    this.#open = key
    this.opens++
    const write = async (work: () => void): Promise<void> => {
      await this.turn
      // The dead never hear of it.
      if (this.#open !== key) return new Promise(() => undefined)
      if (this.full) throw new PersistenceError('quota', 'full', { estimate: { usage: 10, quota: 10 } })
      work()
    }
    return Promise.resolve({
      load: () => Promise.resolve({ ...this.contents, records: [...this.contents.records] }),
      append: (records) =>
        write(() => (this.contents = { ...this.contents, records: [...this.contents.records, ...records] })),
      replace: (snapshot, records = []) => write(() => (this.contents = { snapshot, records: [...records] })),
      estimate: () => Promise.resolve(undefined),
      close: () => {
        if (this.#open === key) this.#open = undefined
        return Promise.resolve()
      },
    })
  }
}
