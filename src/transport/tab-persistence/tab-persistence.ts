import { RowcastError } from '../../errors/index.ts'
import type { Persistence } from '../../store/index.ts'
import { createTabs, type Tabs } from '../../tabs/index.ts'
import { TabSession } from './tab-session.ts'

export interface TabPersistenceOptions {
  /** Tabs of one origin that give the same name share one copy. */
  readonly name: string
  /** Where it is kept: `opfsPersistence({ name })` of `rowcast/persist`, for one. Open in one tab at a time. */
  readonly persistence: Persistence
  /** Tabs that the application has joined already; of its own if not given. Close the store before them. */
  readonly tabs?: Tabs | undefined
}

/**
 * One copy of a store's persistence for all tabs of an origin: one of them has it open, whoever comes first. The others
 * read the base from it and write their own pending transactions and rejections through it: their `saved()` resolves
 * once those are durable there, and rejects with the PersistenceError that the write met. What a tab leaves behind when it
 * closes or dies goes to the one that has the persistence, into its `pending$` and `rejected$`; when that one goes, the
 * next opens it. Each transaction keeps its id, so that the server applies it exactly once, whoever sends it.
 *
 * It is for stores that sync, each tab with this persistence, over `tabTransport` for one. Without `sync` stores can't
 * share: `createStore` rejects with `persistence-in-use` in every tab but the first. A tab that hangs with the
 * persistence open keeps it: what the others write waits until it goes on or ends.
 *
 * Throws RowcastError with code `tabs` for a name that is none. `open` rejects with what that of `persistence` rejects
 * with, and with code `tabs-unsupported` where there are no Web Locks.
 */
export function tabPersistence(options: TabPersistenceOptions): Persistence {
  const { name, persistence, tabs } = options
  if (typeof name !== 'string' || name === '')
    throw new RowcastError('tabs', 'tabPersistence: name must be a text that is not empty')
  return {
    open: async () => {
      if (tabs) return TabSession.open({ name, persistence, lane: tabs, left: () => undefined })
      const own = createTabs({ name: `persistence:${name}` })
      return TabSession.open({ name, persistence, lane: own, left: () => own.close() })
    },
  }
}
