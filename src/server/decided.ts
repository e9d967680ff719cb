import type { RowTransition } from '../store/index.ts'
import type { ClosingCode, WireTransaction } from '../transport/index.ts'
import type { Point } from './history.ts'
import type { LogRecord } from './log-record.ts'
import type { Refusal } from './refusals.ts'

/** What became of a transaction. */
export type Outcome =
  | { readonly kind: 'committed'; readonly sequence: number }
  | { readonly kind: 'known'; readonly sequence: number }
  | ({ readonly kind: 'refused' } & Refusal)

/** A transaction that the log has, as those who are connected are told. */
export interface Committed extends Point {
  readonly record: LogRecord
  readonly transitions: readonly RowTransition[]
  /** Who sent it on this server, and what. */
  readonly author: Listener | undefined
  readonly sent: WireTransaction | undefined
}

/** What a batch of transactions came to, in order. */
export interface Decided {
  readonly committed: readonly Committed[]
  /** What became of each transaction that was sent, in their order. */
  readonly outcomes: readonly {
    readonly author: Listener | undefined
    readonly id: string
    readonly outcome: Outcome
    /** How many of `committed` were decided before it. */
    readonly before: number
  }[]
}

export interface EndOptions {
  readonly retryAfterMs?: number
  /** Whether the client is to be loaded anew. */
  readonly reload?: boolean
  /** The server to go to. */
  readonly redirect?: string | undefined
}

/** Someone who is told, in order, what was decided. */
export interface Listener {
  decided(decided: Decided): void
  /** The database goes: say so and leave. */
  end(code: ClosingCode, reason: string, options?: EndOptions): void
}
