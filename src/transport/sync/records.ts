import type { ChangeSet, Key } from '../../changes/index.ts'
import { RowcastError } from '../../errors/index.ts'
import type { Arrival, JournalRecord } from '../../store/index.ts'
import type { WireTransaction } from '../protocol/messages.ts'
import type { Owner } from './owner.ts'

/** A transaction that was committed here, as it is kept until it is confirmed. */
export interface CommitRecord extends JournalRecord {
  readonly type: 'commit'
  readonly id: string
  readonly set: ChangeSet
  readonly wire: WireTransaction
  /** Of its rows, those of which nothing is seen any more: others have deleted them meanwhile, or stand in its way. */
  readonly unseen?: readonly (readonly [table: string, key: Key])[]
  /** The version of the schema in whose terms it is. */
  readonly version: number
}

export interface ArrivedCommit {
  readonly changes: readonly Arrival[]
  /** The transaction of ours that this is. */
  readonly id?: string
}

/** Transactions that the server has confirmed, and what the copy was up to with them. */
export interface ArriveRecord extends JournalRecord {
  readonly type: 'arrive'
  readonly commits: readonly ArrivedCommit[]
  /** None where everything is to be fetched anew. */
  readonly position?: string
  readonly sequence: number
}

/** That a transaction of ours was in what had arrived already. */
interface KnownRecord extends JournalRecord {
  readonly type: 'known'
  readonly id: string
}

interface RefusedRecord extends JournalRecord {
  readonly type: 'refused'
  readonly id: string
  readonly code: string
  readonly reason: string
}

/** A refused transaction that nobody has dealt with, as it goes with a snapshot. */
export interface RejectionRecord extends JournalRecord {
  readonly type: 'rejection'
  readonly id: string
  readonly changes: ChangeSet
  readonly code: string
  readonly reason: string
  /** The version of the schema in whose terms it is. */
  readonly version: number
}

interface DealtRecord extends JournalRecord {
  readonly type: 'dealt'
  readonly id: string
}

/** Which database the records that follow are of. */
interface DatabaseRecord extends JournalRecord {
  readonly type: 'database'
  readonly name: string
  /** The version of the schema in whose terms the snapshot is. */
  readonly version?: number
}

/** What a version of the schema was: who takes in what was made for it later can say it in the terms of its own. */
export interface SchemaRecord extends JournalRecord {
  readonly type: 'schema'
  readonly version: number
  /** Plain JSON. */
  readonly document: string
}

/** Whose the records that follow are. */
interface OwnerRecord extends JournalRecord, Owner {
  readonly type: 'owner'
}

/** Of all that a store waits for and has not dealt with, only these are left. */
interface OnlyRecord extends JournalRecord {
  readonly type: 'only'
  readonly ids: readonly string[]
}

/** What is kept of the own transactions of a store that does not keep the base. */
export type OwnRecord =
  | CommitRecord
  | KnownRecord
  | RefusedRecord
  | RejectionRecord
  | DealtRecord
  | OnlyRecord
  | SchemaRecord

/** A record of the store in another tab. */
export interface TabRecord extends JournalRecord {
  readonly type: 'tab'
  readonly tab: string
  readonly record: OwnRecord
}

/** What a store that syncs keeps, in the order in which it happened. */
export type SyncRecord = OwnRecord | ArriveRecord | DatabaseRecord | OwnerRecord | TabRecord

/** Throws RowcastError for a record that is none of a store that syncs. */
export function assertSyncRecord(record: JournalRecord): asserts record is SyncRecord {
  if (isSyncRecord(record)) return
  throw new RowcastError(
    'persistence',
    'what is kept there is of a store without a server, or of another version of rowcast: open it as it was to export() it, and keep this one under another name',
  )
}

/** Whether a record is one of a store that syncs. */
export function isSyncRecord(record: JournalRecord): record is SyncRecord {
  const { type, id } = record
  switch (type) {
    case 'commit':
      return typeof id === 'string' && isObject(record['set']) && isObject(record['wire']) && isVersion(record)
    case 'arrive':
      return Array.isArray(record['commits'])
    case 'known':
    case 'refused':
    case 'dealt':
      return typeof id === 'string'
    case 'rejection':
      return typeof id === 'string' && isObject(record['changes']) && isVersion(record)
    case 'schema':
      return typeof record['document'] === 'string' && isVersion(record)
    case 'only':
      return Array.isArray(record['ids'])
    case 'owner':
      return isText(record['user']) && isText(record['as'])
    case 'database':
      return typeof record['name'] === 'string'
    case 'tab':
      return isObject(record['record'])
    default:
      return false
  }
}

function isVersion({ version }: JournalRecord): boolean {
  return typeof version === 'number'
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
