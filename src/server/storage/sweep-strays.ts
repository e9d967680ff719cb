import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn, unlessMissing } from './durable-files.ts'
import { readManifest, readSequences } from './snapshot-manifest.ts'

/** What is younger may belong to another process that is about to put its manifest in place. */
const strayAgeMs = 3_600_000

/** Removes the files that a crash left in a folder of snapshots before their manifest was in place. */
export async function sweepStrays(folder: string): Promise<void> {
  const names = await namesIn(folder)
  const others = names.filter((name) => !name.endsWith('.json'))
  if (others.length * 2 === names.length) return
  const manifests = await Promise.all((await readSequences(folder)).map((sequence) => readManifest(folder, sequence)))
  const named = new Set(manifests.map((manifest) => manifest?.file))
  const oldest = Date.now() - strayAgeMs
  for (const name of others.filter((other) => !named.has(other))) {
    const path = join(folder, name)
    const found = await unlessMissing(stat(path))
    if (found && found.mtimeMs < oldest) await rm(path, { force: true })
  }
}
