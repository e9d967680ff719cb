import { crc32 } from './crc32.ts'
import type { Disk, DiskFile } from './disk.ts'
import { decodeHeader, encodeHeader, HEADER_LENGTH, type JournalHeader } from './journal-header.ts'
import { PersistenceError } from './persistence-error.ts'
import type { PersistedContents } from './persistence.ts'
import { decodeRecords, encodeRecords } from './record-frames.ts'

const nothing = new Uint8Array()

/**
 * Snapshot and records in a folder: generation n is `n.db`, the snapshot, and `n.log`, the records. A replacement writes
 * both files of the next generation, flushes them, and only then writes the header of its journal: with that flushed the
 * new generation is the current one, and the old files go. So at any moment one generation is whole, and of two whole ones
 * the newer counts. Nothing is renamed: OPFS can't everywhere.
 */
export class Generations {
  readonly #disk: Disk
  #header: JournalHeader
  #journal: DiskFile
  /** Where the journal's last whole record ends. */
  #end: number
  /** Whether bytes may lie behind `#end`, of an append that failed. */
  #tornTail = false
  /** Files of a replacement that failed. They must be gone before the next write: they might be found whole otherwise. */
  readonly #debris = new Set<string>()

  private constructor(disk: Disk, header: JournalHeader, journal: DiskFile, end: number) {
    this.#disk = disk
    this.#header = header
    this.#journal = journal
    this.#end = end
  }

  /** Opens what is there, or begins an empty one. Rejects with `persistence-damaged`. */
  static async open(disk: Disk): Promise<Generations> {
    const names = await disk.list()
    const found = await findCurrent(disk, names)
    const { header, journal } = found ?? (await begin(disk))
    try {
      const { end } = decodeRecords(await journal.read(HEADER_LENGTH, await journal.size()))
      const generations = new Generations(disk, header, journal, HEADER_LENGTH + end)
      generations.#tornTail = (await journal.size()) > generations.#end
      const own = namesOf(header.generation)
      for (const name of names) {
        if (/^\d+\.(db|log)$/.test(name) && !own.includes(name)) generations.#debris.add(name)
      }
      await generations.#repair()
      return generations
    } catch (error) {
      await journal.close()
      throw error
    }
  }

  /** Whether there is neither a snapshot nor a record. */
  get isEmpty(): boolean {
    return this.#header.snapshot === undefined && this.#end === HEADER_LENGTH
  }

  async load(): Promise<PersistedContents> {
    const journal = await this.#journal.read(HEADER_LENGTH, this.#end)
    return { snapshot: await this.#readSnapshot(), records: decodeRecords(journal).records }
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    await this.#repair()
    const bytes = encodeRecords(records)
    this.#tornTail = true
    try {
      await this.#journal.write(bytes, this.#end)
      await this.#journal.flush()
    } catch (error) {
      await this.#repairIfPossible()
      throw error
    }
    this.#end += bytes.length
    this.#tornTail = false
  }

  /** Without a snapshot the new generation has records only. */
  async replace(snapshot: Uint8Array | undefined, records: readonly Uint8Array[]): Promise<void> {
    await this.#repair()
    const old = this.#header.generation
    const header = {
      generation: old + 1,
      snapshot: snapshot && { length: snapshot.length, checksum: crc32(snapshot) },
    }
    const bytes = encodeRecords(records)
    let journal: DiskFile
    try {
      if (snapshot) await writeWhole(this.#disk, snapshotName(header.generation), snapshot)
      journal = await writeJournal(this.#disk, header, bytes)
    } catch (error) {
      for (const name of namesOf(header.generation)) this.#debris.add(name)
      await this.#repairIfPossible()
      throw error
    }
    const before = this.#journal
    this.#header = header
    this.#journal = journal
    this.#end = HEADER_LENGTH + bytes.length
    this.#tornTail = false
    // The new generation counts from here on, also where the old files can't be removed yet.
    for (const name of namesOf(old)) this.#debris.add(name)
    await ignoringFailure(async () => before.close())
    await this.#repairIfPossible()
  }

  async close(): Promise<void> {
    await this.#journal.close()
  }

  async #readSnapshot(): Promise<Uint8Array | undefined> {
    const expected = this.#header.snapshot
    if (!expected) return undefined
    const name = snapshotName(this.#header.generation)
    const file = await this.#disk.open(name)
    try {
      const size = await file.size()
      const bytes = await file.read(0, size)
      if (size === expected.length && crc32(bytes) === expected.checksum) return bytes
      throw new PersistenceError(
        'persistence-damaged',
        `the snapshot ${name} is damaged: ${size} bytes, of ${expected.length} that were written, or with another checksum: ` +
          'load the data from the server or a backup',
      )
    } finally {
      await file.close()
    }
  }

  /** Removes what earlier calls left behind; rejects where that is not possible. */
  async #repair(): Promise<void> {
    if (this.#tornTail) {
      await this.#journal.truncate(this.#end)
      await this.#journal.flush()
      this.#tornTail = false
    }
    if (this.#debris.size === 0) return
    // The journals first, and for good: one that came back after a crash would miss its snapshot.
    for (const name of this.#debris) if (name.endsWith('.log')) await this.#disk.remove(name)
    await this.#disk.sync()
    for (const name of this.#debris) if (name.endsWith('.db')) await this.#disk.remove(name)
    this.#debris.clear()
  }

  /** The next write tries again, and fails if this is still not possible. */
  async #repairIfPossible(): Promise<void> {
    await ignoringFailure(() => this.#repair())
  }
}

function snapshotName(generation: number): string {
  return `${generation}.db`
}

function journalName(generation: number): string {
  return `${generation}.log`
}

function namesOf(generation: number): string[] {
  return [snapshotName(generation), journalName(generation)]
}

/** The newest generation whose journal has its header. */
async function findCurrent(
  disk: Disk,
  names: readonly string[],
): Promise<{ header: JournalHeader; journal: DiskFile } | undefined> {
  const generations = names
    .flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a)
  const unreadable: string[] = names.filter((name) => /^\d+\.db$/.test(name))
  for (const generation of generations) {
    const journal = await disk.open(journalName(generation))
    const size = await journal.size()
    const header = decodeHeader(await journal.read(0, Math.min(size, HEADER_LENGTH)))
    if (header?.generation === generation) return { header, journal }
    await journal.close()
    // The very first journal is nothing but its header: a crash before it was whole leaves no more than that.
    if (size > HEADER_LENGTH) unreadable.push(journalName(generation))
  }
  if (unreadable.length === 0) return undefined
  throw new PersistenceError(
    'persistence-damaged',
    `no journal here has a whole header, yet there are ${unreadable.join(', ')}: keep a copy of these files, ` +
      'then remove them to begin with an empty store',
  )
}

async function begin(disk: Disk): Promise<{ header: JournalHeader; journal: DiskFile }> {
  const header = { generation: 1, snapshot: undefined }
  return { header, journal: await writeJournal(disk, header, nothing) }
}

/** Writes a journal, its header last, and gives it open. */
async function writeJournal(disk: Disk, header: JournalHeader, records: Uint8Array): Promise<DiskFile> {
  const journal = await disk.open(journalName(header.generation))
  try {
    await journal.truncate(0)
    if (records.length > 0) await journal.write(records, HEADER_LENGTH)
    await journal.flush()
    await disk.sync()
    await journal.write(encodeHeader(header), 0)
    await journal.flush()
    return journal
  } catch (error) {
    await ignoringFailure(async () => journal.close())
    throw error
  }
}

async function writeWhole(disk: Disk, name: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(name)
  try {
    await file.truncate(0)
    await file.write(bytes, 0)
    await file.flush()
  } finally {
    await file.close()
  }
}

/** For steps whose failure is met again, or no longer matters. */
async function ignoringFailure(step: () => Promise<void>): Promise<void> {
  await step().catch(() => undefined)
}
