import { Subscription } from 'rxjs'
import type { Transport } from '../transport.ts'
import type { Timers } from './timers.ts'

const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 30_000
/** A connection that has lasted so long is a good one. */
const SETTLED_MS = 5_000
/** After so long without a word the server is asked for one. */
const QUIET_MS = 20_000
/** It has so long to answer. */
const ANSWER_MS = 10_000

/** What is done with a connection. */
export interface ConnectionUser {
  opened(): void
  received(message: string): void
  /** It will be tried again, unless `stop` is called. */
  lost(reason: string | undefined): void
  /** Says something to which the server answers. */
  ping(): void
}

/**
 * Keeps a transport connected: tries again with growing, jittered pauses, notices a server that has fallen silent (a
 * laptop that slept, a network that changed), and tries at once when the page is online or visible again.
 */
export class ConnectionKeeper {
  readonly #transport: Transport
  readonly #timers: Timers
  readonly #user: ConnectionUser
  readonly #subscription = new Subscription()
  readonly #database: string
  #attempt = 0
  #cancelRetry: (() => void) | undefined
  #cancelQuiet: (() => void) | undefined
  #cancelSettled: (() => void) | undefined
  #minimumMs = 0
  #stopped = false
  #wasOpening = false

  constructor(transport: Transport, database: string, user: ConnectionUser, timers: Timers) {
    this.#transport = transport
    this.#database = database
    this.#user = user
    this.#timers = timers
  }

  start(): void {
    this.#subscription.add(
      this.#transport.status$.subscribe(({ state, reason }) => {
        if (this.#stopped) return
        if (state === 'open') {
          this.#listen()
          this.#user.opened()
        } else if (state === 'closed' && this.#wasOpening) {
          this.#wasOpening = false
          this.#cancelQuiet?.()
          this.#cancelSettled?.()
          this.#user.lost(reason)
          this.#retry()
        }
      }),
    )
    this.#subscription.add(
      this.#transport.messages$.subscribe((message) => {
        if (this.#stopped) return
        this.#listen()
        this.#user.received(message)
      }),
    )
    for (const [target, event] of wakers()) {
      const wake = (): void => this.wake()
      target.addEventListener(event, wake)
      this.#subscription.add(() => target.removeEventListener(event, wake))
    }
    this.#open()
  }

  /** All is well. Once it has been so for a while, the next pause is a short one again. */
  settled(): void {
    this.#cancelSettled?.()
    this.#cancelSettled = this.#timers.after(SETTLED_MS, () => {
      this.#attempt = 0
    })
  }

  /** Ends this connection and begins another, after a while at least. */
  reconnect(afterMs: number): void {
    this.#minimumMs = afterMs
    this.#transport.close()
  }

  /** Tries now, if it is waiting to. */
  wake(): void {
    if (!this.#cancelRetry || this.#stopped) return
    this.#cancelRetry()
    this.#cancelRetry = undefined
    this.#open()
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#subscription.unsubscribe()
    this.#cancelRetry?.()
    this.#cancelQuiet?.()
    this.#cancelSettled?.()
    this.#transport.close()
  }

  #open(): void {
    this.#wasOpening = true
    this.#transport.open(this.#database)
  }

  #retry(): void {
    if (this.#stopped) return
    const pause = Math.min(FIRST_RETRY_MS * 2 ** this.#attempt, LAST_RETRY_MS)
    this.#attempt++
    // Anything between half and all of it, so that not everyone comes back at once.
    const ms = Math.max(pause * (0.5 + this.#timers.random() / 2), this.#minimumMs)
    this.#minimumMs = 0
    this.#cancelRetry = this.#timers.after(ms, () => {
      this.#cancelRetry = undefined
      this.#open()
    })
  }

  #listen(): void {
    this.#cancelQuiet?.()
    this.#cancelQuiet = this.#timers.after(QUIET_MS, () => {
      this.#user.ping()
      this.#cancelQuiet = this.#timers.after(ANSWER_MS, () => this.#transport.close())
    })
  }
}

function wakers(): [EventTarget, string][] {
  const found: [EventTarget, string][] = []
  if (typeof globalThis.addEventListener === 'function' && typeof globalThis.document === 'object') {
    found.push([globalThis, 'online'], [globalThis.document, 'visibilitychange'])
  }
  return found
}
