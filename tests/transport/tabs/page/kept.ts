/** A page of tab-persistence.e2e.test.ts: a store that shares its persistence and its connection with the other tabs. */
import { createStore, RowcastError } from 'rowcast'
import { indexedDbPersistence, opfsPersistence } from 'rowcast/persist'
import { createTabs } from 'rowcast/tabs'
import { tabPersistence, tabTransport, webSocketTransport } from 'rowcast/transport'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { schema } from './schema.ts'

export interface KeptTab {
  /** The code of the error that `createStore` rejected with. */
  readonly refused?: string
  /** How often `onDamaged` was asked. */
  readonly asked: number
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
let asked = 0
const store = await createStore({
  schema,
  onDamaged: given.has('rescue') ? () => (asked++, 'rescue') : undefined,
  locateFile: () => wasmUrl,
  sync: {
    transport: tabTransport({ name, transport: () => webSocketTransport({ url }), tabs }),
    database: 'project',
    user: given.get('user') ?? undefined,
  },
  persistence: tabPersistence({ name, persistence, tabs }),
}).catch((error: unknown) => {
  if (error instanceof RowcastError) window.keptTab = refusedTab(String(error.code))
  throw error
})
const notes = store.table('note')
const tab: KeptTab = {
  get asked() {
    return asked
  },
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

function refusedTab(code: string): KeptTab {
  const noStore = (): never => {
    throw new Error(`The page has no store: ${code}.`)
  }
  return { refused: code, asked, state: 'refused', pending: [], ids: noStore, commit: noStore, saved: noStore }
}
