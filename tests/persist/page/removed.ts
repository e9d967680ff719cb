/** A page of removed.e2e.test.ts: a store that is kept, or another page of the origin, which removes what it keeps. */
import { createStore, defineSchema, RowcastError } from 'rowcast'
import { indexedDbPersistence, opfsPersistence } from 'rowcast/persist'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'

declare global {
  interface Window {
    removed: typeof actions
  }
}

const name = 'removed'
const schema = defineSchema({
  version: 1,
  tables: {
    card: { primaryKey: 'id', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  },
})

function openStore(kind: 'opfs' | 'indexedDb') {
  const make = kind === 'opfs' ? opfsPersistence : indexedDbPersistence
  return createStore({ schema, locateFile: () => wasmUrl, persistence: make({ name }) })
}

let store: Awaited<ReturnType<typeof openStore>> | undefined

function opened() {
  if (!store) throw new Error('The test has opened no store.')
  return store
}

const actions = {
  async open(kind: 'opfs' | 'indexedDb'): Promise<string> {
    return outcome(openStore(kind).then((made) => void (store = made)))
  },
  insert: (id: string) => void opened().table('card').insert({ id }),
  saved: () => outcome(opened().saved()),
  ids: () => opened().table('card').keys(),
  /** Deletes the database as any other page would. */
  deleteDatabase: () => settled(indexedDB.deleteDatabase(`rowcast:${name}`)),
  /** Makes another database of it. */
  async openHigher(): Promise<void> {
    const database = await settled(indexedDB.open(`rowcast:${name}`, 2))
    database.close()
  },
  /** Removes what can be removed of the files: not the one that is open. Gives the names of those that are gone. */
  async removeFiles(): Promise<string[]> {
    const root = await navigator.storage.getDirectory()
    const folder = await (await root.getDirectoryHandle('.rowcast')).getDirectoryHandle(`store-${name}`)
    const gone: string[] = []
    for await (const file of folder.keys())
      await folder.removeEntry(file).then(
        () => gone.push(file),
        (error: unknown) => {
          if (!(error instanceof DOMException && error.name === 'NoModificationAllowedError')) throw error
        },
      )
    return gone
  },
}

/** `done`, or the code of the error. */
async function outcome(work: Promise<void>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    return error instanceof RowcastError ? String(error.code) : String(error)
  }
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB gave no reason.')))
  })
}

window.removed = actions
