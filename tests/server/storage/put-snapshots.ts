import { writeSync } from 'node:fs'
import { fileSnapshotStorage } from '../../../src/server/storage/file-snapshot-storage.ts'

// Puts and replaces snapshots until it is killed, and reports each once it is put.
const [directory = ''] = process.argv.slice(2)
const storage = fileSnapshotStorage({ directory })
for (let at = 1; ; at += 1) {
  await storage.put('plan', { sequence: at % 4, label: `${at}`, at }, new Uint8Array(500_000 + at).fill(at))
  writeSync(1, `${at}\n`)
}
