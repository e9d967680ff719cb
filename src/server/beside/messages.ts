import type { RowChange } from '../../changes/index.ts'
import type { SchemaInput } from '../../schema/index.ts'
import type { LogEntry } from '../log.ts'
import type { SnapshotInfo } from '../snapshot-storage.ts'
import type { CarriedError } from './carried-error.ts'
import type { Progress } from './work-host.ts'
import type { Work, WorkKind, Works } from './works.ts'

/** What a thread asks of the main one, which has the log and the snapshots. */
export interface Questions {
  readonly list: { readonly given: readonly [database: string]; readonly answer: readonly SnapshotInfo[] }
  readonly get: {
    readonly given: readonly [database: string, sequence: number]
    readonly answer: Uint8Array | undefined
  }
  readonly bounds: {
    readonly given: readonly []
    readonly answer: { readonly first: number; readonly last: number }
  }
  /** Some entries from one on; none where the log ends. */
  readonly read: { readonly given: readonly [from: number, limit: number]; readonly answer: readonly LogEntry[] }
  readonly take: { readonly given: readonly [changes: readonly RowChange[]]; readonly answer: undefined }
}

export type Question = {
  readonly [What in keyof Questions]: { readonly what: What; readonly given: Questions[What]['given'] }
}[keyof Questions]

export type Answer = Questions[keyof Questions]['answer']

/** How the patterns of a server's schema are matched. */
export type Patterns = 'linear' | 'native'

export type ToThread =
  | {
      readonly type: 'work'
      readonly work: Work
      /** Without its migrations, which are code. */
      readonly definition: SchemaInput
      /** The versions that it has migrations for. */
      readonly migrations: readonly string[]
      readonly patterns: Patterns
    }
  | { readonly type: 'answer'; readonly call: number; readonly answer: Answer }
  | { readonly type: 'answer'; readonly call: number; readonly error: CarriedError }

export type FromThread =
  | { readonly type: 'question'; readonly call: number; readonly question: Question }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly result: Works[WorkKind]['result'] }
  | {
      readonly type: 'failed'
      readonly error: CarriedError
      /** Whether a migration was needed: only the main thread has its code. */
      readonly needsCode: boolean
    }

/** Those of the arrays of bytes that can be given away whole, without a copy. */
export function transferable(bytes: Uint8Array | undefined): ArrayBuffer[] {
  return bytes && bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? [bytes.buffer]
    : []
}
