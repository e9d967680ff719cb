// What the events of the SSE transport say, for both of its ends.

/** What the body of each POST says. */
export interface SseBatch {
  /** The secret that the first event named. */
  readonly session: string
  /** Counts the POSTs of a session, from 1, so that one that a browser sends again is not taken twice. */
  readonly n: number
  readonly messages: readonly string[]
}

/** Bytes of the messages of one batch: what is lost where a link breaks while it is sent. A longer message goes alone. */
export const BATCH_BYTES: number = 36 * 1024

/** What the `close` event says. */
export interface SseClose {
  readonly code: number
  readonly reason: string
}

/**
 * Names of the events. `session` comes first and names the session; `message` is a message as it is; `text` one with line
 * breaks, which the format would change, as a JSON string; `close` is the last and says why.
 */
export type SseEventName = 'session' | 'message' | 'text' | 'close'

export function encodeSseEvent(name: SseEventName, data: string): string {
  return name === 'message' ? `data: ${data}\n\n` : `event: ${name}\ndata: ${data}\n\n`
}

export function encodeSseMessage(message: string): string {
  return /[\r\n]/.test(message) ? encodeSseEvent('text', JSON.stringify(message)) : encodeSseEvent('message', message)
}
