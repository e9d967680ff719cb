import { defineSchema } from '../../../src/index.ts'
import { serve, type Listening } from '../../../src/server/index.ts'
import { editorSchemaInput } from '../annotation-schema.ts'
import { sampleProject } from './sample-project.ts'

/** The database that the editor opens where its address names none. */
const sampleName = 'cities'

export interface SyncServerOptions {
  /** Where the databases lie; made if missing. */
  readonly directory: string
  /** Any that is free if not given. */
  readonly port?: number | undefined
  /** How many cities the sample has, the largest ones; all if not given. */
  readonly cities?: number | undefined
}

/**
 * Serves the editor's databases from this machine, to whoever reaches it: a token is the name that someone goes by, and
 * nothing is checked. Puts the sample there first if it is missing.
 */
export async function startSyncServer({ directory, port = 0, cities }: SyncServerOptions): Promise<Listening> {
  const listening = await serve({
    schema: defineSchema(editorSchemaInput),
    directory,
    port,
    authenticate: ({ token = 'someone' }) => {
      const name = decodeURIComponent(token)
      return { id: name, name, admin: true }
    },
  })
  try {
    await ensureSample(listening.url, cities)
    return listening
  } catch (error) {
    await listening.close()
    throw error
  }
}

async function ensureSample(url: string, cities: number | undefined): Promise<void> {
  const listed = await answerOf(await fetch(`${url}/v1/databases`))
  const { databases } = (await listed.json()) as { readonly databases: readonly { readonly name: string }[] }
  if (databases.some(({ name }) => name === sampleName)) return
  const body = (await sampleProject(cities)).slice()
  const headers = { authorization: 'Bearer GeoNames' }
  await answerOf(await fetch(`${url}/v1/databases/${sampleName}/import`, { method: 'PUT', body, headers }))
}

async function answerOf(response: Response): Promise<Response> {
  if (response.ok) return response
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
}
