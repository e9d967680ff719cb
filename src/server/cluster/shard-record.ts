import { randomUUID } from 'node:crypto'
import { seal, unseal } from './sealed.ts'

/** Who decides for a shard: one of the servers. */
export interface NodeInfo {
  /** Another one each time that a server starts. */
  readonly id: string
  /** Where other servers reach it; absent where they don't. */
  readonly url?: string | undefined
}

/** What happens to the log of one database. */
export type Operation =
  /** It begins, after a sequence number. */
  | { readonly do: 'open'; readonly database: string; readonly id: string; readonly start: number }
  | { readonly do: 'append'; readonly database: string; readonly sequence: number; readonly payload: string }
  /** What lies before a sequence number is not needed any more. */
  | { readonly do: 'trim'; readonly database: string; readonly before: number }
  | { readonly do: 'delete'; readonly database: string }

/** Of whom a record is that only the owner writes, and what it rests on. */
export interface OwnersMark {
  /** The slot that the owner's claim lies in. */
  readonly epoch: number
  /** The digest of all records before it, as the owner has them. */
  readonly behind: string
}

/** What lies in one slot of a shard's log. */
export type ShardRecord = {
  /** All that lies before this slot is in the checkpoint of that number; 0 where nothing is. */
  readonly checkpoint: number
} & (
  | { readonly kind: 'claim'; readonly node: NodeInfo }
  /** Fills the slots before a claim that was put ahead of its turn. */
  | { readonly kind: 'gap' }
  /** The owner is it no more: whoever claims next has it. */
  | ({ readonly kind: 'release' } & OwnersMark)
  | ({ readonly kind: 'operations'; readonly operations: readonly Operation[] } & OwnersMark)
)

/** Whether a record is an owner's, in the slot that was the next. Others may arrive late, in one that was trimmed. */
export function isOwners({ kind }: ShardRecord): boolean {
  return kind === 'operations' || kind === 'release'
}

/**
 * A record as sealed bytes: a line of JSON, and the payloads one after the other as UTF-8. Two of the same content differ,
 * by an id of their own.
 */
export function encodeRecord(record: ShardRecord): Buffer {
  const payloads: Buffer[] = []
  const told =
    record.kind === 'operations'
      ? { ...record, operations: record.operations.map((operation) => withoutPayload(operation, payloads)) }
      : record
  const line = Buffer.from(`${JSON.stringify({ ...told, id: randomUUID() })}\n`)
  return seal(Buffer.concat([line, ...payloads]))
}

/** Reads a record. Throws RowcastError (`log`) where it is none, or not as it was written. */
export function decodeRecord(bytes: Uint8Array, where: string): ShardRecord {
  const body = unseal(bytes, where)
  const end = body.indexOf('\n')
  const { id: _id, ...record } = JSON.parse(body.toString('utf8', 0, end)) as ShardRecord & { id: string }
  if (record.kind !== 'operations') return record
  let at = end + 1
  const operations = record.operations.map((operation): Operation => {
    if (operation.do !== 'append') return operation
    const { bytes: length, ...rest } = operation as unknown as Operation & { readonly bytes: number }
    const payload = body.toString('utf8', at, (at += length))
    return { ...rest, payload } as Operation
  })
  return { ...record, operations }
}

function withoutPayload(operation: Operation, payloads: Buffer[]): object {
  if (operation.do !== 'append') return operation
  const { payload, ...rest } = operation
  const bytes = Buffer.from(payload)
  payloads.push(bytes)
  return { ...rest, bytes: bytes.length }
}
