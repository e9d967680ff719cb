import type { Disk, DiskFile } from './disk.ts'
import { decodeHeader, HEADER_LENGTH, isTornHeader, type JournalHeader } from './journal-header.ts'

/** The journal that counts, open. */
export interface Found {
  readonly header: JournalHeader
  readonly journal: DiskFile
  /** Where the header is none: what was found. Nothing is known of the snapshot then. */
  readonly finding?: string
}

export function snapshotName(generation: number): string {
  return `${generation}.db`
}

export function journalName(generation: number): string {
  return `${generation}.log`
}

export function namesOf(generation: number): string[] {
  return [snapshotName(generation), journalName(generation)]
}

/** Whether a file is of a generation, or set aside. */
export function isStoreFile(name: string): boolean {
  return /^\d+\.(db|log)(\.damaged)?$/.test(name)
}

/**
 * The newest generation whose journal has a header; one that was damaged counts, one that was never written whole does not,
 * unless there is nothing else. `undefined` where nothing was ever kept.
 */
export async function findCurrent(disk: Disk, names: readonly string[]): Promise<Found | undefined> {
  let unfinished: number | undefined
  for (const generation of numbersOf(names, 'log')) {
    const journal = await disk.open(journalName(generation))
    try {
      const size = await journal.size()
      const bytes = await journal.read(0, Math.min(size, HEADER_LENGTH))
      const header = decodeHeader(bytes)
      if (header?.generation === generation) return { header, journal }
      const finding = header && `it is the journal of generation ${header.generation}`
      if (!isTornHeader(bytes)) return damaged(generation, journal, finding ?? 'its header is damaged')
      // The very first journal is nothing but its header: a crash before it was whole leaves no more than that.
      if (size > HEADER_LENGTH) unfinished ??= generation
    } catch (error) {
      await journal.close()
      throw error
    }
    await journal.close()
  }
  unfinished ??= numbersOf(names, 'db')[0]
  if (unfinished === undefined) return undefined
  return damaged(unfinished, await disk.open(journalName(unfinished)), 'it has no header')
}

function damaged(generation: number, journal: DiskFile, finding: string): Found {
  return {
    header: { generation, snapshot: undefined },
    journal,
    finding: `${journalName(generation)}: ${finding}, so that its snapshot can't be told from another`,
  }
}

/** The numbers of the files with this ending, the newest first. */
function numbersOf(names: readonly string[], ending: 'db' | 'log'): number[] {
  const pattern = new RegExp(String.raw`^(\d+)\.${ending}$`)
  return names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => b - a)
}
