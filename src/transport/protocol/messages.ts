import type { Cells, Key } from '../../changes/index.ts'

/** Raised with every change of a message's form. A server refuses versions that it does not speak with code `protocol-version`. */
export const PROTOCOL_VERSION = 5

/** The oldest version that a server still speaks. To a client of it nothing is sent that it does not know. */
export const OLDEST_PROTOCOL_VERSION = 3

/** A change of one row, as it travels. */
export interface WireChange {
  readonly table: string
  readonly key: Key
  /** `put` is the whole row (its stored cells, without defaults), whether it was there or not; `update` names cells. */
  readonly op: 'put' | 'update' | 'delete'
  readonly after?: Cells
  /** What the author saw in the cells that change: only where a transaction is `ifUnchanged`. */
  readonly before?: Cells
}

/** A row as a client's copy begins: table, key, stored cells. */
export type WireRow = readonly [table: string, key: Key, cells: Cells]

/** A part of a database: every row of a table, or those that match. */
export interface WireSet {
  readonly table: string
  readonly where?: { readonly [field: string]: unknown }
}

export interface WireSubscription {
  /** Chosen by the client, unique within the connection. */
  readonly id: string
  /** Several sets; none means every row of every table. */
  readonly sets: readonly WireSet[]
}

/** What a transaction has read: single rows, or (without keys) a whole table. */
export interface WireRead {
  readonly table: string
  readonly keys?: readonly Key[]
}

export interface WireTransaction {
  /** Chosen by the client, unique for ever: the server applies it once, however often it is sent. */
  readonly id: string
  readonly label?: string
  readonly changes: readonly WireChange[]
  /** Refuse it (`conflict`) where a cell that it changes is not as `before` says. */
  readonly ifUnchanged?: boolean
  /** The position it was decided on, with what it read there: refused (`conflict`) if any of that has changed since. */
  readonly base?: string
  readonly reads?: readonly WireRead[]
  /** Earlier transactions that it rests on: refused (`conflict`) unless they were all applied. */
  readonly requires?: readonly string[]
  /** The version of the schema that it was made for, where it is not the connection's: refused, unless it was applied. */
  readonly schemaVersion?: number
}

/** The first message of a connection. */
export interface HelloMessage {
  readonly type: 'hello'
  readonly n: number
  readonly protocol: number
  readonly schemaVersion: number
  readonly database: string
  readonly token?: string
  /** What the client's copy is up to, as a message of the server said. Without one it gets everything. */
  readonly position?: string
  readonly subscriptions: readonly WireSubscription[]
  /** What had arrived of a transfer of the server's when the last connection broke. */
  readonly receiving?: { readonly transfer: string; readonly pieces: number }
  /** A transfer of the client's that was under way then. */
  readonly sending?: string
}

export interface TransactMessage {
  readonly type: 'transact'
  readonly n: number
  readonly transactions: readonly WireTransaction[]
}

export interface SubscribeMessage {
  readonly type: 'subscribe'
  readonly n: number
  readonly subscription: WireSubscription
}

export interface UnsubscribeMessage {
  readonly type: 'unsubscribe'
  readonly n: number
  readonly id: string
}

export interface PresenceSetMessage {
  readonly type: 'presence'
  readonly n: number
  /** `null` takes it back. */
  readonly state: unknown
}

export interface PingMessage {
  readonly type: 'ping'
  readonly n: number
}

/** What is long follows in pieces, to be gone on with from there. Either side sends it. */
export interface BeginMessage {
  readonly type: 'begin'
  readonly n: number
  readonly transfer: string
  /** Pieces that the other side has already. */
  readonly from: number
  /** About how long all of it is, in bytes; 0 where that is not known. */
  readonly bytes: number
  /** Whether it says nothing of the data, as presence: who receives it is not behind. */
  readonly aside?: boolean
}

/** A transfer is over. Either side sends it. */
export interface EndMessage {
  readonly type: 'end'
  readonly n: number
  readonly transfer: string
}

/** So many pieces of a transfer are here. Either side sends it. */
export interface ReceivedMessage {
  readonly type: 'received'
  readonly n: number
  readonly transfer: string
  readonly pieces: number
}

export type ClientMessage =
  | HelloMessage
  | TransactMessage
  | SubscribeMessage
  | UnsubscribeMessage
  | PresenceSetMessage
  | PingMessage
  | BeginMessage
  | EndMessage
  | ReceivedMessage

/** The answer to `hello`. Rows or commits follow. */
export interface WelcomeMessage {
  readonly type: 'welcome'
  readonly n: number
  readonly protocol: number
  /** This connection, as presence names it. */
  readonly session: string
  /** Whether everything follows as rows, to replace what the client has; otherwise what has changed since. */
  readonly reset: boolean
  /** Whether the transfer that the client was receiving goes on. Nothing that came with it is to be forgotten then. */
  readonly resumes?: boolean
  /** Pieces that are here of what the client was sending. */
  readonly received?: number
  /** The id of the user that the server takes this one for; since version 4. */
  readonly user?: string
  readonly limits: { readonly messageBytes: number; readonly transactions: number }
}

/** Rows of a subscription, or of everything after a reset. */
export interface RowsMessage {
  readonly type: 'rows'
  readonly n: number
  /** The subscription that they answer; absent after a reset. */
  readonly subscription?: string
  readonly rows: readonly WireRow[]
  /** Rows among those of earlier parts that have gone meanwhile. */
  readonly gone?: readonly (readonly [table: string, key: Key])[]
  /** With the last part: what the copy is up to. */
  readonly position?: string
  readonly sequence?: number
}

/** One transaction that the server has confirmed, as this client may see it. */
export interface WireCommit {
  /** Given to its author only. */
  readonly id?: string
  readonly label?: string
  /** Whose it is: the `id` that `authenticate` gave, if it did. Nobody else can have it. */
  readonly by?: string
  /** What that user is called, if anything. Since version 4. */
  readonly name?: string
  /** Absent for the author where it is exactly what was sent. */
  readonly changes?: readonly WireChange[]
}

export interface CommitsMessage {
  readonly type: 'commits'
  readonly n: number
  readonly commits: readonly WireCommit[]
  /** What the client's copy is up to with this; absent where more belongs to it, which is to be taken in together. */
  readonly position?: string
  /** The server's sequence number, for those who may see everything: to others its gaps would tell what they may not know. */
  readonly sequence?: number
}

/** A transaction that was not applied, and won't be. */
export interface RefusedMessage {
  readonly type: 'refused'
  readonly n: number
  readonly id: string
  readonly code: RefusalCode
  readonly reason: string
}

export type RefusalCode =
  | 'validation'
  | 'constraint'
  | 'forbidden'
  | 'conflict'
  | 'not-found'
  | 'too-large'
  | 'read-only'
  | 'schema-version'
  | 'internal'

/** A transaction that was applied before: its effect is in what was sent already. */
export interface KnownMessage {
  readonly type: 'known'
  readonly n: number
  readonly id: string
}

/** Rows that left the client's sets with a subscription. */
export interface UnsubscribedMessage {
  readonly type: 'unsubscribed'
  readonly n: number
  readonly id: string
  readonly gone: readonly (readonly [table: string, key: Key])[]
  readonly position: string
}

export interface PresenceMessage {
  readonly type: 'presence'
  readonly n: number
  /** What changed: `null` for a session that is gone or has taken its state back. */
  readonly others: readonly PresenceOne[]
}

/** One of the others, `user` and `name` being those of `WireCommit`'s `by` and `name`. */
export interface PresenceOne {
  readonly session: string
  readonly user?: string
  readonly name?: string
  readonly state: unknown
}

/** The client is up to date, for now. */
export interface LiveMessage {
  readonly type: 'live'
  readonly n: number
}

export interface PongMessage {
  readonly type: 'pong'
  readonly n: number
}

export type ClosingCode =
  | 'protocol-version'
  | 'schema-version'
  | 'malformed'
  | 'too-large'
  | 'out-of-order'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown-database'
  | 'unknown-position'
  | 'too-slow'
  | 'flood'
  | 'shutting-down'
  | 'unavailable'
  | 'internal'

/** The last message of a connection that the server ends. */
export interface ClosingMessage {
  readonly type: 'closing'
  readonly n: number
  readonly code: ClosingCode
  readonly reason: string
  /** Whether connecting again makes sense, and when. */
  readonly retryAfterMs?: number
  /** Whether the application should be loaded anew: it is older than the server's schema. */
  readonly reload?: boolean
  /** The address of the server to go to next; since version 5. */
  readonly redirect?: string
}

export type ServerMessage =
  | WelcomeMessage
  | RowsMessage
  | CommitsMessage
  | RefusedMessage
  | KnownMessage
  | UnsubscribedMessage
  | PresenceMessage
  | PongMessage
  | ClosingMessage
  | LiveMessage
  | BeginMessage
  | EndMessage
  | ReceivedMessage
