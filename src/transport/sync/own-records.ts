import { decodeRecord, type JournalRecord } from '../../store/index.ts'
import type { Owner } from './owner.ts'
import { isSyncRecord, type CommitRecord, type RejectionRecord, type SchemaRecord, type SyncRecord } from './records.ts'

/** What the records of one store come to, of its own transactions: which wait, and which were refused. */
export class OwnRecords {
  readonly #commits = new Map<string, CommitRecord>()
  readonly #rejections = new Map<string, RejectionRecord>()
  /** What they are in the terms of, or what comes next may be. */
  readonly #schemas = new Map<number, SchemaRecord>()

  /** What it takes to have the same again, in the order of the commits. */
  get list(): (SchemaRecord | RejectionRecord | CommitRecord)[] {
    return [...this.#schemas.values(), ...this.#rejections.values(), ...this.#commits.values()]
  }

  /** To take the same twice in a row changes nothing. */
  take(record: SyncRecord): void {
    switch (record.type) {
      case 'commit':
        if (!this.#commits.has(record.id)) this.#commits.set(record.id, record)
        break
      case 'rejection':
        this.#rejections.set(record.id, record)
        break
      case 'refused': {
        const { id, code, reason } = record
        const commit = this.#commits.get(id)
        this.#commits.delete(id)
        if (commit)
          this.#rejections.set(id, {
            type: 'rejection',
            id,
            changes: commit.set,
            code,
            reason,
            version: commit.version,
          })
        break
      }
      case 'arrive':
        for (const { id } of record.commits) if (id !== undefined) this.#commits.delete(id)
        break
      case 'known':
        this.#commits.delete(record.id)
        break
      case 'dealt':
        this.#rejections.delete(record.id)
        break
      case 'only': {
        const ids = new Set(record.ids)
        for (const kept of [this.#commits, this.#rejections])
          for (const id of kept.keys()) if (!ids.has(id)) kept.delete(id)
        break
      }
      case 'schema':
        this.#schemas.set(record.version, record)
        break
      case 'database':
      case 'owner':
      case 'tab':
        break
    }
  }

  /** It is somebody else's now, or settled. */
  forget(id: string): void {
    this.#commits.delete(id)
    this.#rejections.delete(id)
  }
}

/** What lies in a persistence that several stores share. */
export interface SharedContents {
  /** The records of the store that keeps the base. */
  readonly base: readonly JournalRecord[]
  /** The same, as they lie there. */
  readonly baseBytes: readonly Uint8Array[]
  /** What they come to, of that store's own transactions. */
  readonly own: OwnRecords
  /** What other stores wait for, by the tab that each of them is in. */
  readonly tabs: ReadonlyMap<string, OwnRecords>
}

/**
 * Tells apart whose records are whose. What the store that keeps the base has taken over counts as its own. A store
 * without a server has it alone: its records are all of the base.
 */
export function readShared(records: readonly Uint8Array[]): SharedContents {
  const base: JournalRecord[] = []
  const baseBytes: Uint8Array[] = []
  const own = new OwnRecords()
  const tabs = new Map<string, OwnRecords>()
  for (const bytes of records) {
    const record = decodeRecord(bytes)
    if (isSyncRecord(record) && record.type === 'tab') {
      const kept = tabs.get(record.tab) ?? new OwnRecords()
      tabs.set(record.tab, kept)
      kept.take(record.record)
      continue
    }
    base.push(record)
    baseBytes.push(bytes)
    if (!isSyncRecord(record)) continue
    own.take(record)
    for (const id of idsOf(record)) for (const kept of tabs.values()) kept.forget(id)
  }
  return { base, baseBytes, own, tabs }
}

/** Whose the records are: as the last one says that says it. */
export function ownerOf(records: readonly JournalRecord[]): Owner | undefined {
  return records.filter(isSyncRecord).findLast((record) => record.type === 'owner')
}

/** Of the records of the store that keeps the base, what is confirmed: nobody's pending transactions. */
export function confirmedOnly(records: readonly JournalRecord[]): SyncRecord[] {
  return records.filter(isSyncRecord).flatMap((record): SyncRecord[] => {
    if (record.type === 'database' || record.type === 'owner') return [record]
    if (record.type !== 'arrive') return []
    return [{ ...record, commits: record.commits.map(({ changes }) => ({ changes })) }]
  })
}

/** The transactions that a record says something of. */
function idsOf(record: SyncRecord): readonly string[] {
  switch (record.type) {
    case 'arrive':
      return record.commits.flatMap(({ id }) => id ?? [])
    case 'commit':
    case 'known':
    case 'refused':
    case 'rejection':
    case 'dealt':
      return [record.id]
    case 'only':
    case 'schema':
    case 'database':
    case 'owner':
    case 'tab':
      return []
  }
}
