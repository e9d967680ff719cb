import { crc32 } from './crc32.ts'
import type { Disk, DiskFile } from './disk.ts'
import { findCurrent, type Found, journalName, namesOf, snapshotName } from './find-generation.ts'
import { encodeHeader, HEADER_LENGTH, type JournalHeader } from './journal-header.ts'
import type { LoadedContents } from './medium.ts'
import { decodeRecords, encodeRecords } from './record-frames.ts'

const nothing = new Uint8Array()

/**
 * Snapshot and records in a folder: generation n is `n.db`, the snapshot, and `n.log`, the records. A replacement writes
 * both files of the next generation, flushes them, and only then writes the header of its journal: with that flushed the
 * new generation is the current one, and the old files go. So at any moment one generation is whole, and of two whole ones
 * the newer counts. Nothing is renamed: OPFS can't everywhere.
 *
 * Damaged files are left as they are until the next replacement, which sets them aside: a copy of each, `n.db.damaged`, is
 * there before it goes.
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

  /** What is wrong with the journal's header, and so with all that it says. */
  #finding: string | undefined
  /** The files that are set aside by the next replacement, where something is damaged. */
  #aside: readonly string[] | undefined

  private constructor(disk: Disk, { header, journal, finding }: Found, end: number) {
    this.#disk = disk
    this.#header = header
    this.#journal = journal
    this.#finding = finding
    this.#end = end
  }

  /** Opens what is there, or begins an empty one. */
  static async open(disk: Disk): Promise<Generations> {
    const names = await disk.list()
    const found = (await findCurrent(disk, names)) ?? (await begin(disk))
    const { journal, header } = found
    try {
      const { end, gaps } = decodeRecords(await journal.read(HEADER_LENGTH, await journal.size()))
      const generations = new Generations(disk, found, HEADER_LENGTH + end)
      generations.#tornTail = (await journal.size()) > generations.#end
      const own = namesOf(header.generation)
      const others = names.filter((name) => /^\d+\.(db|log)$/.test(name) && !own.includes(name))
      // What lies beside damaged files may be all that is whole.
      if (
        found.finding !== undefined ||
        gaps.length > 0 ||
        (others.length > 0 && !(await generations.#isSnapshotWhole()))
      )
        generations.#aside = [...own, ...others]
      else for (const name of others) generations.#debris.add(name)
      await generations.#repair()
      return generations
    } catch (error) {
      await journal.close()
      throw error
    }
  }

  /** Whether there is neither a snapshot nor a record. */
  get isEmpty(): boolean {
    return this.#header.snapshot === undefined && this.#end === HEADER_LENGTH && this.#finding === undefined
  }

  /** What is there and intact, with what is not. */
  async load(): Promise<LoadedContents> {
    const { records, gaps } = decodeRecords(await this.#journal.read(HEADER_LENGTH, this.#end))
    const { generation } = this.#header
    const findings = gaps.map(
      ({ before, bytes }) => `${journalName(generation)}: ${bytes} bytes after ${before} intact records are damaged`,
    )
    const snapshot = await this.#readSnapshot()
    if (this.#finding !== undefined) findings.unshift(this.#finding)
    if (snapshot.finding !== undefined) findings.unshift(snapshot.finding)
    const contents = { snapshot: snapshot.bytes, records }
    if (findings.length === 0) return contents
    this.#aside ??= namesOf(generation)
    const isSnapshotLost = this.#finding !== undefined || snapshot.finding !== undefined
    return { ...contents, damage: { snapshot: isSnapshotLost, gaps, findings } }
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
    // Nobody finds them before they are flushed.
    const bytes = encodeRecords(records, { settled: true })
    const aside = this.#aside ?? []
    let journal: DiskFile
    try {
      // In OPFS a file can't be opened twice.
      for (const name of aside) await setAside(this.#disk, name, name === journalName(old) ? this.#journal : undefined)
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
    for (const name of [...namesOf(old), ...aside]) this.#debris.add(name)
    this.#aside = undefined
    this.#finding = undefined
    await ignoringFailure(async () => before.close())
    await this.#repairIfPossible()
  }

  async close(): Promise<void> {
    await this.#journal.close()
  }

  /** Whether the files are there under their names, as long as they were written. */
  async isWhole(): Promise<boolean> {
    const { generation, snapshot } = this.#header
    const journal = await this.#disk.sizeOf(journalName(generation))
    if (journal === undefined || journal < this.#end) return false
    return snapshot === undefined || (await this.#disk.sizeOf(snapshotName(generation))) === snapshot.length
  }

  async #readSnapshot(): Promise<{ readonly bytes?: Uint8Array; readonly finding?: string }> {
    const expected = this.#header.snapshot
    if (!expected) return {}
    const name = snapshotName(this.#header.generation)
    if ((await this.#disk.sizeOf(name)) === undefined) return { finding: `${name} is not there` }
    const file = await this.#disk.open(name)
    try {
      const size = await file.size()
      const bytes = await file.read(0, size)
      if (size !== expected.length) return { finding: `${name} has ${size} bytes, not the ${expected.length} written` }
      return crc32(bytes) === expected.checksum
        ? { bytes }
        : { finding: `${name} has another checksum than was written` }
    } finally {
      await file.close()
    }
  }

  async #isSnapshotWhole(): Promise<boolean> {
    return (await this.#readSnapshot()).finding === undefined
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

async function begin(disk: Disk): Promise<Found> {
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

/** Keeps a copy of a damaged file, if it is there: whoever knows how may get more out of it. */
async function setAside(disk: Disk, name: string, opened: DiskFile | undefined): Promise<void> {
  if ((await disk.sizeOf(name)) === undefined) return
  const file = opened ?? (await disk.open(name))
  try {
    await writeWhole(disk, `${name}.damaged`, await file.read(0, await file.size()))
  } finally {
    if (!opened) await file.close()
  }
}

/** For steps whose failure is met again, or no longer matters. */
async function ignoringFailure(step: () => Promise<void>): Promise<void> {
  await step().catch(() => undefined)
}
