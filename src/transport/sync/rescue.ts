import {
  decodeRecord,
  encodeRecord,
  type DamagedContents,
  type PersistedContents,
  type PendingNamed,
} from '../../store/index.ts'
import { readShared } from './own-records.ts'
import { isSyncRecord, type CommitRecord, type SyncRecord } from './records.ts'

/** The transactions in what is intact that the server has not confirmed, of all stores that were kept there. */
export function pendingIn(records: readonly Uint8Array[]): PendingNamed[] {
  const { own, tabs } = readShared(records)
  return [own, ...tabs.values()]
    .flatMap(({ list }) => list)
    .filter((record): record is CommitRecord => record.type === 'commit')
    .map(({ id, set }) => ({ id, label: set.label }))
}

/**
 * What a copy can go on with of what is intact. Its user's own transactions are all there. What the server has confirmed
 * counts up to the first damage, and only on a snapshot that is intact; then everything is fetched anew.
 *
 * @param keepBase whether what is confirmed is to be seen until then
 */
export function rescue({ snapshot, records, damage }: DamagedContents, keepBase: boolean): PersistedContents {
  const base = keepBase && snapshot !== undefined && !damage.snapshot
  const upTo = base ? (damage.gaps[0]?.before ?? records.length) : 0
  let sequence = 0
  const kept = records.flatMap((bytes, n) => {
    const record = decodeRecord(bytes)
    if (!isSyncRecord(record) || record.type !== 'arrive') return [bytes]
    sequence = record.sequence
    if (n < upTo) return [bytes]
    // Of ours, what has been confirmed is no longer pending.
    return record.commits.flatMap(({ id }) => (id === undefined ? [] : [encodeRecord({ type: 'known', id })]))
  })
  const anew: SyncRecord = { type: 'arrive', commits: [], sequence }
  return { snapshot: base ? snapshot : undefined, records: [...kept, encodeRecord(anew)] }
}
