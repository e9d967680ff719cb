import { createStore, defineSchema, type Store } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore, type ServerOptions } from 'rowcast/server'
import { memoryTransport, type Accept, type Faults, type Timers } from 'rowcast/transport'
import { firstValueFrom, filter } from 'rxjs'

export const sceneInput = {
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, name: { type: 'string', default: '' }, owner: { type: 'string' } },
      },
    },
    note: {
      primaryKey: 'id',
      unique: [['slug']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          layerId: { type: 'string' },
          slug: { type: 'string' },
          size: { type: 'number', default: 10, maximum: 1000 },
          text: {
            type: 'object',
            properties: { value: { type: 'string', default: '' }, color: { type: 'string', default: 'black' } },
          },
          points: { type: 'array', items: { type: 'number' } },
          secret: { type: 'boolean', default: false },
        },
      },
    },
  },
} as const

export const sceneSchema = defineSchema(sceneInput)

export type SceneStore = Awaited<ReturnType<typeof openScene>>

/** A store of the scene's schema, in step with a server in the same process. */
export function openScene(
  core: Pick<ServerCore, 'accept'>,
  options: {
    readonly database?: string
    readonly faults?: Faults
    readonly token?: string
    readonly timers?: Timers
    readonly subscribe?: readonly { readonly table: 'layer' | 'note'; readonly where?: never }[]
  } = {},
) {
  const { database = 'scene', subscribe, ...transport } = options
  return createStore({
    schema: sceneSchema,
    sync: { transport: memoryTransport(core.accept, transport), database, ...(subscribe && { subscribe }) },
  })
}

/** Nobody answers: offline. */
export const nobody: Accept = (connection) => {
  connection.close(1001, 'offline')
  return { receive: () => undefined, closed: () => undefined }
}

/** A server over memory, with one database called scene. */
export async function openServer(options: Partial<ServerOptions> = {}): Promise<ServerCore> {
  const core = new ServerCore({
    schema: sceneSchema,
    storage: { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() },
    onError: (error) => {
      throw error
    },
    ...options,
  })
  await core.databases.create('scene')
  return core
}

/** Waits until a store is in step, and everything that was committed in it is confirmed. */
export async function settled(store: { readonly sync: Store['sync'] }): Promise<void> {
  await firstValueFrom(store.sync.status$.pipe(filter(({ state, pending }) => state === 'live' && pending === 0)))
}
