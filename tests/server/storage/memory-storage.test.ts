import { memoryLogStorage, memorySnapshotStorage } from '../../../src/server/storage/index.ts'
import { runLogContract } from './log-contract.ts'
import { runSnapshotStorageContract } from './snapshot-storage-contract.ts'

runLogContract('memory', async () => {
  const storage = memoryLogStorage()
  return { storage: () => storage, dispose: async () => {} }
})

runSnapshotStorageContract('memory', async () => {
  const storage = memorySnapshotStorage()
  return { storage: () => storage, dispose: async () => {} }
})
