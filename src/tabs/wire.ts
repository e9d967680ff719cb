/** What a tab says of itself to the others. */
export interface TabState {
  readonly visible: boolean
  readonly candidate: boolean
  /** A frozen page runs nothing: it is asked for nothing. */
  readonly frozen: boolean
  /** When it came, in milliseconds since 1970. */
  readonly joined: number
  /** Grows from leader to leader; `undefined` for a tab that doesn't lead. */
  readonly epoch: number | undefined
  /** Since when it leads, in milliseconds since 1970. */
  readonly since: number
  /** The types of request that it answers now. */
  readonly provides: readonly string[]
}

export interface CrossedError {
  readonly code: string
  readonly message: string
}

export type RequestMessage = {
  readonly kind: 'request'
  readonly id: string
  readonly type: string
  readonly payload: unknown
  /** Answered on receipt. */
  readonly oneWay: boolean
}

export type AnswerMessage =
  | { readonly kind: 'answer'; readonly id: string; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: string; readonly error: CrossedError }
  /** The provider doesn't carry it out, or may not come to: ask another. */
  | { readonly kind: 'declined'; readonly id: string }

export type Message =
  /** A state that everyone is to answer with theirs. */
  | { readonly kind: 'hello'; readonly state: TabState }
  | { readonly kind: 'state'; readonly state: TabState }
  | { readonly kind: 'bye' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  /** `tab` was asked something and says nothing, asked for the `attempt`th time. */
  | { readonly kind: 'silent'; readonly tab: string; readonly attempt: number }
  /** To a hidden leader: a visible tab stands. */
  | { readonly kind: 'yield' }
  | RequestMessage
  | AnswerMessage
  /** An answer has arrived; its provider may forget it. */
  | { readonly kind: 'got'; readonly id: string }
  | { readonly kind: 'broadcast'; readonly type: string; readonly payload: unknown }

export interface Letter {
  /** One tab, or all others. */
  readonly to: string | undefined
  readonly message: Message
}

/** One post on the channel: all that a tab said in one go. */
export interface Batch {
  readonly from: string
  readonly letters: readonly Letter[]
}

/** The names of the channel and locks. The number is raised with the messages: other code may be open in another tab. */
export function channelName(name: string): string {
  return `rowcast-tabs-1:${name}`
}

export function leaderLock(name: string): string {
  return `${channelName(name)}:leader`
}

export function tabLock(name: string, id: string): string {
  return `${channelName(name)}:tab:${id}`
}
