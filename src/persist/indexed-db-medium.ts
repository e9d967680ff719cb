import { deleteDB, type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { estimateOrigin } from './browser-storage.ts'
import type { LoadedContents, Medium } from './medium.ts'
import { PersistenceError } from './persistence-error.ts'

interface Tables extends DBSchema {
  /** Under 0; what was found damaged is set aside under 1. */
  snapshot: { key: 0 | 1; value: unknown }
  /** By a number that counts up: the key is the order. */
  records: { key: number; value: unknown }
}

const durable = { durability: 'strict' } as const

/**
 * A store's database in IndexedDB, while its lock is held. The browser or another tab may close or delete it under the
 * session: it is opened again then, and takes a replacement first.
 */
export class IndexedDbMedium implements Medium {
  readonly #name: string
  readonly #release: () => void
  /** `undefined` while it is closed under the session. */
  #database: IDBPDatabase<Tables> | undefined
  /** Whether something was closed or is gone since it was last written whole. */
  #lost = false
  /** What was written: whether a snapshot, and how many records. */
  #written = { snapshot: false, records: 0 }

  /** Opens the database of this name, or makes it. `release` gives back the lock when it is closed. */
  static async open(name: string, release: () => void): Promise<IndexedDbMedium> {
    const medium = new IndexedDbMedium(name, release)
    const database = await medium.#opened()
    medium.#written = await countOf(database)
    return medium
  }

  private constructor(name: string, release: () => void) {
    this.#name = name
    this.#release = release
  }

  async load(): Promise<LoadedContents> {
    const database = await this.#opened()
    const transaction = database.transaction(['snapshot', 'records'])
    const [snapshot, records] = await Promise.all([
      transaction.objectStore('snapshot').get(0),
      transaction.objectStore('records').getAll(),
      transaction.done,
    ])
    return intactOf(snapshot, records)
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    const database = await this.#opened()
    if (this.#lost) throw this.#isLost()
    await this.#noticing(async () => {
      const transaction = database.transaction('records', 'readwrite', durable)
      await Promise.all([...records.map((record) => transaction.store.add(ownBytes(record))), transaction.done])
    })
    this.#written = { ...this.#written, records: this.#written.records + records.length }
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[]): Promise<void> {
    const database = await this.#opened()
    await this.#noticing(async () => {
      const transaction = database.transaction(['snapshot', 'records'], 'readwrite', durable)
      const snapshots = transaction.objectStore('snapshot')
      const journal = transaction.objectStore('records')
      const [before, journaled] = await Promise.all([snapshots.get(0), journal.getAll()])
      if (intactOf(before, journaled).damage) await snapshots.put({ snapshot: before, records: journaled }, 1)
      await Promise.all([
        snapshots.put(ownBytes(snapshot), 0),
        journal.clear(),
        ...records.map((record) => journal.add(ownBytes(record))),
        transaction.done,
      ])
    })
    this.#lost = false
    this.#written = { snapshot: true, records: records.length }
  }

  async isWhole(): Promise<boolean> {
    const database = await this.#opened()
    if (this.#lost) return false
    const { snapshot, records } = await countOf(database)
    this.#lost = snapshot !== this.#written.snapshot || records !== this.#written.records
    return !this.#lost
  }

  estimate(): ReturnType<Medium['estimate']> {
    return estimateOrigin()
  }

  /** Removes the database, and closes it. */
  async remove(): Promise<void> {
    try {
      this.#database?.close()
      await deleteDB(databaseName(this.#name))
    } finally {
      this.#release()
    }
  }

  async close(): Promise<void> {
    this.#database?.close()
    this.#release()
  }

  async #opened(): Promise<IDBPDatabase<Tables>> {
    const leave = (): void => {
      this.#lost = true
      this.#database?.close()
      this.#database = undefined
    }
    this.#database ??= await openDB<Tables>(databaseName(this.#name), 1, {
      upgrade(database) {
        database.createObjectStore('snapshot')
        database.createObjectStore('records', { autoIncrement: true })
      },
      // Another tab deletes it: it would wait for this connection.
      blocking: leave,
      terminated: leave,
    })
    return this.#database
  }

  /** A connection that the browser has closed says so when it is used, if not before. */
  async #noticing(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      const isClosed = error instanceof DOMException && (error.name === 'InvalidStateError' || error.name === 'NotFoundError')
      if (!isClosed && !this.#lost) throw error
      this.#lost = true
      this.#database?.close()
      this.#database = undefined
      throw this.#isLost(error)
    }
  }

  #isLost(cause?: unknown): PersistenceError {
    return new PersistenceError(
      'persistence-lost',
      `IndexedDB '${this.#name}' was closed or deleted by the browser or another tab: write a snapshot again`,
      { cause },
    )
  }
}

/** The name of the IndexedDB database of a store. */
export function databaseName(name: string): string {
  return `rowcast:${name}`
}

/** A view is stored with the whole buffer under it: a part of a larger one is copied out. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

async function countOf(database: IDBPDatabase<Tables>): Promise<{ snapshot: boolean; records: number }> {
  const transaction = database.transaction(['snapshot', 'records'])
  const [snapshot, records] = await Promise.all([
    transaction.objectStore('snapshot').count(0),
    transaction.objectStore('records').count(),
    transaction.done,
  ])
  return { snapshot: snapshot > 0, records }
}

/** The browser has checksums of its own: what it gives is whole, if it is what was written and nothing else. */
function intactOf(snapshot: unknown, values: readonly unknown[]): LoadedContents {
  const isLost = snapshot !== undefined && !(snapshot instanceof Uint8Array)
  const findings = isLost ? ['its snapshot is no bytes'] : []
  const records: Uint8Array[] = []
  const gaps: { before: number; bytes: number }[] = []
  for (const value of values)
    if (value instanceof Uint8Array) records.push(value)
    else {
      findings.push(`the value after ${records.length} intact records is no bytes`)
      gaps.push({ before: records.length, bytes: 0 })
    }
  const contents = { snapshot: snapshot instanceof Uint8Array ? snapshot : undefined, records }
  return findings.length === 0 ? contents : { ...contents, damage: { snapshot: isLost, gaps, findings } }
}
