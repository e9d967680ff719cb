import { createStore } from 'rowcast'
import { webSocketTransport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { editorSchema } from '../app/editor-store.ts'
import { Collaboration } from './collaboration.ts'
import { type DownloadProgress, downloadProject } from './download-project.ts'
import { type Person, thisPerson, tokenOf } from './person.ts'

/** Where the address names no database. */
const sampleName = 'cities'

/** The database that an address asks for. */
export const databaseOf = (search: string): string => new URLSearchParams(search).get('project') ?? sampleName

/** There is no sync server where the editor comes from. */
class NoServerError extends Error {
  readonly code = 'no-server'
}

export interface OpenSharedOptions {
  readonly locateFile: () => string
  /** Told how much of the project has come. */
  readonly onProgress: (progress: DownloadProgress) => void
  /** Told once all of it has come, before it is opened; the opening goes on when this resolves. */
  readonly onLoaded: () => Promise<void>
  /** Told why it takes long. */
  readonly onWaiting: (reason: string) => void
}

/**
 * Opens a database of the server that the page comes from, in step with it. It starts with the file that the server
 * exports; what has changed since comes over the connection.
 */
export async function openShared(database: string, options: OpenSharedOptions): Promise<Collaboration> {
  const me = thisPerson()
  await assertServer(me)
  const project = await downloadProject(database, me, options.onProgress)
  await options.onLoaded()
  const transport = webSocketTransport({ url: location.origin, token: tokenOf(me) })
  const store = await createStore({
    schema: editorSchema,
    locateFile: options.locateFile,
    // Without a position the rows come over the connection, from the first on.
    data: project?.position === undefined ? undefined : project.bytes,
    sync: { transport, database, position: project?.position },
  })
  const told = store.sync.status$.subscribe(({ reason }) => reason !== undefined && options.onWaiting(reason))
  const { state, reason } = await firstValueFrom(
    store.sync.status$.pipe(filter((status) => status.state === 'live' || status.state === 'closed')),
  )
  told.unsubscribe()
  if (state === 'live') return new Collaboration(store, database, me)
  await store.close()
  throw new Error(reason ?? 'The server ended the connection.')
}

/** A server of files alone answers with a page, or not at all. */
async function assertServer(me: Person): Promise<void> {
  const response = await fetch(`${location.origin}/v1/databases`, {
    headers: { authorization: `Bearer ${tokenOf(me)}` },
  })
  if (response.ok && response.headers.get('content-type')?.includes('application/json')) return
  throw new NoServerError('Nothing answers for /v1 here. Start it with the server by npm start, or work alone.')
}
