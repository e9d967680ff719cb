import { createStore } from 'rowcast'
import { webSocketTransport } from 'rowcast/transport'
import { firstValueFrom, filter } from 'rxjs'
import { editorSchema } from '../app/editor-store.ts'
import { Collaboration, tokenOf } from './collaboration.ts'
import { thisPerson } from './person.ts'

/** Where the address names no database. */
const sampleName = 'cities'

/** The database that an address asks for. */
export const databaseOf = (search: string): string => new URLSearchParams(search).get('project') ?? sampleName

/** There is no sync server where the editor comes from. */
export class NoServerError extends Error {
  readonly code = 'no-server'
}

/** Opens a database of the server that the page comes from, in step with it. `waiting` is told why it takes long. */
export async function openShared(
  database: string,
  options: { readonly locateFile: () => string; readonly waiting: (reason: string) => void },
): Promise<Collaboration> {
  await assertServer()
  const me = thisPerson()
  const transport = webSocketTransport({ url: location.origin, token: tokenOf(me) })
  const store = await createStore({
    schema: editorSchema,
    locateFile: options.locateFile,
    sync: { transport, database },
  })
  const told = store.sync.status$.subscribe(({ reason }) => reason !== undefined && options.waiting(reason))
  const { state, reason } = await firstValueFrom(
    store.sync.status$.pipe(filter((status) => status.state === 'live' || status.state === 'closed')),
  )
  told.unsubscribe()
  if (state === 'live') return new Collaboration(store, database, me)
  await store.close()
  throw new Error(reason ?? 'The server ended the connection.')
}

/** A server of files alone answers with a page, or not at all. */
async function assertServer(): Promise<void> {
  const response = await fetch(`${location.origin}/v1/databases`, {
    headers: { authorization: `Bearer ${tokenOf(thisPerson())}` },
  })
  if (response.ok && response.headers.get('content-type')?.includes('application/json')) return
  throw new NoServerError('Nothing answers for /v1 here. Start it with the server by npm start, or work alone.')
}
