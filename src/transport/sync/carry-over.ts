import { rowIdOf } from '../../changes/index.ts'
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
export function carryOver(internals: StoreInternals, { database, contents, carry, to }: OutdatedContents): Folded {
  const { version } = internals.engine.schema
  const carryAll = <Change extends Parameters<typeof carry>[0]>(changes: readonly Change[]): Change[] | undefined => {
    const carried = changes.flatMap((change) => carry(change) ?? [])
    return carried.length === changes.length ? carried : undefined
  }
  // Rows that transactions rest on which are not carried: what follows them stays behind as well.
  const behind = new Set<string>()
  // What is of a version before, or of the newer one already, stays as it is.
  const carryCommit = (record: CommitRecord): CommitRecord => {
    if (record.version !== version) return record
    const rows = record.wire.changes.map(rowIdOf)
    const follows = rows.some((row) => behind.has(row))
    const changes = follows ? undefined : carryAll(record.set.changes)
    const wire = changes && carryAll(record.wire.changes)
    if (!changes || !wire) {
      for (const row of rows) behind.add(row)
      return record
    }
    return { ...record, set: { ...record.set, changes }, wire: { ...record.wire, changes: wire }, version: to }
  }
  const carryRejection = (record: RejectionRecord): RejectionRecord => {
    const changes = record.version === version && carryAll(record.changes.changes)
    return changes ? { ...record, changes: { ...record.changes, changes }, version: to } : record
  }
  const { snapshot, records } = new Copy(internals, database, undefined, true).repeat(contents)
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
