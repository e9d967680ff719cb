import { historyLabel } from '../app/step-label.ts'
import { createStore } from 'rowcast'
import { webSocketTransport } from 'rowcast/transport'
import { filter, firstValueFrom } from 'rxjs'
import { editorSchema } from '../app/editor-store.ts'
import { type Keeping, keepProject } from '../app/keeping.ts'
import { Collaboration } from './collaboration.ts'
import { type DownloadedProject, type DownloadProgress, downloadProject } from './download-project.ts'
import { type Person, takePerson, tokenOf } from './person.ts'

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

export interface Shared {
  readonly collaboration: Collaboration
  readonly keeping: Keeping
}

/**
 * Opens a database of the server that the page comes from, in step with it. What this device has kept of it counts: it is
 * shown without the server too, with what was not sent. The first time it starts with the file that the server exports;
 * what has changed since comes over the connection.
 */
export async function openShared(database: string, options: OpenSharedOptions): Promise<Shared> {
  const me = await takePerson(database)
  // What is kept is one person's.
  const keeping = await keepProject(`${database}/${me.name}`)
  try {
    const project = keeping.isKnown ? undefined : await loadProject(database, me, options)
    const transport = webSocketTransport({ url: location.origin, token: tokenOf(me) })
    const store = await createStore({
      schema: editorSchema,
      locateFile: options.locateFile,
      history: { label: historyLabel },
      // Without a position the rows come over the connection, from the first on.
      data: project?.position === undefined ? undefined : project.bytes,
      sync: { transport, database, position: project?.position },
      persistence: keeping.persistence,
      // What is broken comes from the server again; what was not sent is kept in any case.
      onDamaged: () => 'reset',
    })
    const told = store.sync.status$.subscribe(({ reason }) => reason !== undefined && options.onWaiting(reason))
    // Of a project that nothing is here of yet, there is nothing to show.
    const hasRows = store.table('annotation').count() > 0
    const { state, reason } = await firstValueFrom(
      store.sync.status$.pipe(
        filter(
          (status) => status.state === 'live' || status.state === 'closed' || (hasRows && status.state === 'offline'),
        ),
      ),
    )
    told.unsubscribe()
    if (state !== 'closed') return { collaboration: new Collaboration(store, database, me), keeping }
    await store.close()
    throw new Error(reason ?? 'The server ended the connection.')
  } catch (error) {
    await keeping.release()
    throw error
  }
}

async function loadProject(
  database: string,
  me: Person,
  options: OpenSharedOptions,
): Promise<DownloadedProject | undefined> {
  await assertServer(me)
  const project = await downloadProject(database, me, options.onProgress)
  await options.onLoaded()
  return project
}

/** A server of files alone answers with a page, or not at all. */
async function assertServer(me: Person): Promise<void> {
  const response = await fetch(`${location.origin}/v1/databases`, {
    headers: { authorization: `Bearer ${tokenOf(me)}` },
  })
  if (response.ok && response.headers.get('content-type')?.includes('application/json')) return
  throw new NoServerError('Nothing answers for /v1 here. Start it with the server by npm start, or work alone.')
}
