import type { Folded, OutdatedContents, StoreInternals } from '../../store/index.ts'
import { Copy } from './copy.ts'
import type { SyncRecord } from './records.ts'

/**
 * What was kept of a copy with an older version of the schema: the base as a file of that version, and what its user has
 * done since, as it is, with what it takes to say it in the terms of a newer one: that is done where it is taken in
 * (./carrier.ts).
 *
 * @param internals of a store of that version, which holds the snapshot
 */
export function carryOver(internals: StoreInternals, { database, contents }: OutdatedContents): Folded {
  const { snapshot, records } = new Copy(internals, database, undefined, true).repeat(contents)
  return {
    snapshot,
    records: (records as readonly SyncRecord[]).map(
      // A position is of one version of the schema.
      (record): SyncRecord =>
        record.type === 'arrive' ? { type: 'arrive', commits: [], sequence: record.sequence } : record,
    ),
  }
}
