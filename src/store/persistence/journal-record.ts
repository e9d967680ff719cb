/** A record of a journal: plain values, told apart by `type`. */
export interface JournalRecord {
  readonly type: string
  readonly [member: string]: unknown
}
