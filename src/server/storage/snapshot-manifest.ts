import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotInfo } from '../snapshot-storage.ts'
import { namesIn, unlessMissing } from './durable-files.ts'

/** What `<sequence>.json` holds. */
export interface Manifest extends SnapshotInfo {
  /** The name of the file with the bytes, beside the manifest. */
  readonly file: string
}

/** The manifest of a snapshot, `undefined` where there is none, or a torn one. */
export async function readManifest(folder: string, sequence: number): Promise<Manifest | undefined> {
  const text = await unlessMissing(readFile(join(folder, `${sequence}.json`), 'utf8'))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Manifest
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The sequence numbers that have a manifest, in order. */
export async function readSequences(folder: string): Promise<number[]> {
  const sequences = (await namesIn(folder)).flatMap((name) => {
    const digits = /^(\d+)\.json$/.exec(name)?.[1]
    return digits === undefined ? [] : [Number(digits)]
  })
  return sequences.toSorted((a, b) => a - b)
}

/** A snapshot's manifest with what `ask` finds of the file that it names, `undefined` where there is no such snapshot. */
export async function findSnapshot<Found>(
  folder: string,
  sequence: number,
  ask: (path: string) => Promise<Found>,
): Promise<{ readonly manifest: Manifest; readonly found: Found } | undefined> {
  let missed: string | undefined
  while (true) {
    const manifest = await readManifest(folder, sequence)
    if (!manifest || manifest.file === missed) return undefined
    const found = await unlessMissing(ask(join(folder, manifest.file)))
    if (found !== undefined) return { manifest, found }
    // Where it was replaced between the two reads, the manifest names another file by now.
    missed = manifest.file
  }
}
