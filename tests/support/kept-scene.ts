import { createStore, type Schema, type Store } from 'rowcast'
import { memoryLogStorage, memorySnapshotStorage, ServerCore } from 'rowcast/server'
import { memoryTransport } from 'rowcast/transport'
import { MemoryDisk } from './memory-disk.ts'
import { nobody } from './sync-world.ts'

/** A server's storage and a client's disk, on which servers and clients of one schema come after those of another. */
export function keptScene() {
  const storage = { logs: memoryLogStorage(), snapshots: memorySnapshotStorage() }
  const disk = new MemoryDisk()
  const serve = (schema: Schema): ServerCore =>
    new ServerCore({
      schema,
      secret: 'test',
      storage,
      onError: (error) => {
        throw error
      },
    })
  /** Offline without a server. */
  const open = (schema: Schema, core?: ServerCore): Promise<Store> =>
    createStore({
      schema,
      persistence: disk,
      sync: { transport: memoryTransport(core?.accept ?? nobody), database: 'scene' },
    })
  return { disk, serve, open }
}
