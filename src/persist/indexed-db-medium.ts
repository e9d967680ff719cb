import { deleteDB, type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { estimateOrigin } from './browser-storage.ts'
import type { Medium } from './medium.ts'
import type { PersistedContents } from './persistence.ts'

interface Tables extends DBSchema {
  snapshot: { key: 0; value: Uint8Array }
  /** By a number that counts up: the key is the order. */
  records: { key: number; value: Uint8Array }
}

const durable = { durability: 'strict' } as const

/** A store's database in IndexedDB, while its lock is held. */
export class IndexedDbMedium implements Medium {
  readonly #database: IDBPDatabase<Tables>
  readonly #release: () => void

  /** Opens the database of this name, or makes it. `release` gives back the lock when it is closed. */
  static async open(name: string, release: () => void): Promise<IndexedDbMedium> {
    const database = await openDB<Tables>(databaseName(name), 1, {
      upgrade(database) {
        database.createObjectStore('snapshot')
        database.createObjectStore('records', { autoIncrement: true })
      },
    })
    return new IndexedDbMedium(database, release)
  }

  private constructor(database: IDBPDatabase<Tables>, release: () => void) {
    this.#database = database
    this.#release = release
  }

  async load(): Promise<PersistedContents> {
    const transaction = this.#database.transaction(['snapshot', 'records'])
    const [snapshot, records] = await Promise.all([
      transaction.objectStore('snapshot').get(0),
      transaction.objectStore('records').getAll(),
      transaction.done,
    ])
    return { snapshot, records }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    const transaction = this.#database.transaction('records', 'readwrite', durable)
    await Promise.all([...records.map((record) => transaction.store.add(ownBytes(record))), transaction.done])
  }

  async replace(snapshot: Uint8Array, records: readonly Uint8Array[]): Promise<void> {
    const transaction = this.#database.transaction(['snapshot', 'records'], 'readwrite', durable)
    const journal = transaction.objectStore('records')
    await Promise.all([
      transaction.objectStore('snapshot').put(ownBytes(snapshot), 0),
      journal.clear(),
      ...records.map((record) => journal.add(ownBytes(record))),
      transaction.done,
    ])
  }

  estimate(): ReturnType<Medium['estimate']> {
    return estimateOrigin()
  }

  /** Removes the database, and closes it. */
  async remove(): Promise<void> {
    try {
      this.#database.close()
      await deleteDB(this.#database.name)
    } finally {
      this.#release()
    }
  }

  async close(): Promise<void> {
    this.#database.close()
    this.#release()
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
