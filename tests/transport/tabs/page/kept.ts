/** A page of tab-persistence.e2e.test.ts: a store that shares its persistence and its connection with the other tabs. */
import { createStore } from 'rowcast'
import { indexedDbPersistence, opfsPersistence } from 'rowcast/persist'
import { createTabs } from 'rowcast/tabs'
import { tabPersistence, tabTransport, webSocketTransport } from 'rowcast/transport'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { schema } from './schema.ts'

export interface KeptTab {
  state: string
  /** The ids of the notes whose transactions are not confirmed. */
  pending: readonly unknown[]
  ids(): string[]
  /** Commits so many notes, a transaction each. */
  commit(prefix: string, count: number): void
  saved(): Promise<void>
}

declare global {
  interface Window {
    keptTab: KeptTab | undefined
  }
}

const name = 'kept'
const given = new URLSearchParams(location.search)
const url = given.get('server') ?? ''
const tabs = createTabs({ name, silenceMs: 400 })
const persistence = given.get('storage') === 'opfs' ? opfsPersistence({ name }) : indexedDbPersistence({ name })
const store = await createStore({
  schema,
  locateFile: () => wasmUrl,
  sync: { transport: tabTransport({ name, transport: () => webSocketTransport({ url }), tabs }), database: 'project' },
  persistence: tabPersistence({ name, persistence, tabs }),
})
const notes = store.table('note')
const tab: KeptTab = {
  state: 'connecting',
  pending: [],
  ids: () => notes.all().map(({ id }) => id),
  commit: (prefix, count) => {
    for (let n = 0; n < count; n++) notes.insert({ id: `${prefix} ${n}`, text: tabs.id })
  },
  saved: () => store.saved(),
}
store.sync.status$.subscribe(({ state }) => (tab.state = state))
store.sync.pending$.subscribe((list) => (tab.pending = list.map(({ changes }) => changes.changes[0]?.key)))
window.keptTab = tab
