/** A page of tab-transport.e2e.test.ts: a store that reaches its server through the leading tab. */
import { createStore, type Store } from 'rowcast'
import { createTabs } from 'rowcast/tabs'
import { tabTransport, webSocketTransport } from 'rowcast/transport'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { schema } from './schema.ts'

export interface SyncedTab {
  readonly sync: Store['sync']
  status: { readonly state: string; readonly pending: number } | undefined
  leads: boolean
  /** Commits so many notes, a transaction each. */
  commit(prefix: string, count: number): void
  /** The ids of the notes that are here. */
  ids(): string[]
}

declare global {
  interface Window {
    syncedTab: SyncedTab | undefined
  }
}

const name = 'e2e'
const given = new URLSearchParams(location.search)
const url = given.get('server') ?? ''
const tabs = createTabs({ name, silenceMs: Number(given.get('silence')) })
const store = await createStore({
  schema,
  locateFile: () => wasmUrl,
  sync: { transport: tabTransport({ name, transport: () => webSocketTransport({ url }), tabs }), database: 'project' },
})
const notes = store.table('note')
const tab: SyncedTab = {
  sync: store.sync,
  status: undefined,
  leads: false,
  commit: (prefix, count) => {
    for (let n = 0; n < count; n++) notes.insert({ id: `${prefix} ${n}`, text: tabs.id })
  },
  ids: () => notes.all().map(({ id }) => id),
}
store.sync.status$.subscribe((status) => (tab.status = status))
tabs.leader$.subscribe((leader) => (tab.leads = leader === tabs.id))
window.syncedTab = tab
