import { createServer, memoryStorage } from 'rowcast/server'
import { createStore, defineSchema, type Store, type SyncStatus, type SyncTransport } from 'rowcast'
import { sseTransport, webSocketTransport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { onTestFinished as afterTest } from 'vitest'
import { ThrottledProxy, type ProxyOptions } from '../../support/throttled-proxy.ts'

const text = { type: 'string' } as const
const cardInput = {
  version: 1,
  tables: {
    card: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: text, title: text } },
    },
  },
} as const

export const KINDS = ['webSocketTransport', 'sseTransport'] as const
export type Kind = (typeof KINDS)[number]

/**
 * A server on a port of its own, with a database `d`, and a slow link to it.
 *
 * @param onTestFinished that of the test, where it runs beside others
 */
export async function openLink(link: ProxyOptions = {}, onTestFinished = afterTest) {
  const server = createServer({ schema: defineSchema(cardInput), storage: memoryStorage() })
  const { url } = await server.listen({ port: 0 })
  onTestFinished(() => server.close())
  await server.databases.create('d')
  const proxy = await ThrottledProxy.open(url, link)
  onTestFinished(() => proxy.close())
  return { server, url, proxy }
}

/** A store in step with the server at an address, and all that its `status$` has said. */
export async function openClient(
  url: string,
  by: Kind | SyncTransport = 'webSocketTransport',
  onTestFinished = afterTest,
) {
  const transport = typeof by === 'string' ? transportOf(by, url) : by
  const store = await createStore({ schema: defineSchema(cardInput), sync: { transport, database: 'd' } })
  onTestFinished(() => store.close())
  const history: SyncStatus[] = []
  store.sync.status$.subscribe((status) => history.push(status))
  return { store, history, cards: store.table('card') }
}

function transportOf(kind: Kind, url: string): SyncTransport {
  return kind === 'sseTransport' ? sseTransport({ url }) : webSocketTransport({ url: url.replace('http', 'ws') })
}

/** Waits until a store is in step, and everything that was committed in it is confirmed. */
export async function settled(store: { readonly sync: Store['sync'] }): Promise<void> {
  await firstValueFrom(store.sync.status$.pipe(filter(({ state, pending }) => state === 'live' && pending === 0)))
}

/** Letters that mean nothing: so many bytes. */
export function letters(bytes: number): string {
  return 'abcdefghijklmnopqrstuvwxyz012345'.repeat(Math.ceil(bytes / 32)).slice(0, bytes)
}
