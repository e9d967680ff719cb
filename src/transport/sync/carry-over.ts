import type { Folded, OutdatedContents, StoreInternals } from '../../store/index.ts'
import { Copy } from './copy.ts'
import type { CommitRecord, RejectionRecord, SyncRecord } from './records.ts'

/**
 * What was kept of a copy with an older version of the schema: the base as a file of that version, and what its user has
 * done in the terms of the newer one. A transaction that can't be said in these is kept as it is: the server alone knows
 * whether it has applied it.
 *
 * @param internals of a store of that version, which holds the snapshot
 */
export function carryOver(internals: StoreInternals, { database, contents, carry }: OutdatedContents): Folded {
  const before = internals.engine.schema
  const carryAll = <Change extends Parameters<typeof carry>[0]>(changes: readonly Change[]): Change[] | undefined => {
    const carried = changes.flatMap((change) => carry(change) ?? [])
    return carried.length === changes.length ? carried : undefined
  }
  const carryCommit = (record: CommitRecord): CommitRecord => {
    // Kept since a version before.
    if (record.wire.schemaVersion !== undefined) return record
    const changes = carryAll(record.set.changes)
    const wire = carryAll(record.wire.changes)
    if (!changes || !wire) return { ...record, wire: { ...record.wire, schemaVersion: before.version } }
    return { ...record, set: { ...record.set, changes }, wire: { ...record.wire, changes: wire } }
  }
  const carryRejection = (record: RejectionRecord): RejectionRecord => {
    const changes = carryAll(record.changes.changes)
    return changes ? { ...record, changes: { ...record.changes, changes } } : record
  }
  const { snapshot, records } = new Copy(internals, database, undefined).repeat(contents)
  return {
    snapshot,
    records: (records as readonly SyncRecord[]).map((record): SyncRecord => {
      switch (record.type) {
        case 'commit':
          return carryCommit(record)
        case 'rejection':
          return carryRejection(record)
        case 'arrive':
          // A position is of one version of the schema.
          return { type: 'arrive', commits: [], sequence: record.sequence }
        default:
          return record
      }
    }),
  }
}
