import { Subscription } from 'rxjs'
import type { Transport } from '../transport.ts'
import type { Timers } from './timers.ts'

const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 30_000
/** So many pauses in a row are of the shortest: a server that is started anew is found within a second. */
const QUICK_RETRIES = 4
/** A connection that has lasted so long since the welcome is none that a server takes only to drop it. */
const STEADY_MS = 1_000
/** After so long without a word the server is asked for one. */
const QUIET_MS = 20_000
/** It has so long to answer. */
const ANSWER_MS = 10_000
/** The same while something waits to be sent, whose leaving is an answer too: on a slow link that takes longer. */
const LEAVE_MS = 30_000
/** How often it is looked whether something has left. */
const LOOK_MS = 1_000

/** What is done with a connection. */
export interface ConnectionUser {
  opened(): void
  received(message: string): void
  /** It will be tried again, unless `rest` or `stop` is called. */
  lost(reason: string | undefined): void
  /** Says something to which the server answers. */
  ping(): void
}

/**
 * Keeps a transport connected, and notices a server that has fallen silent (a laptop that slept, a network that changed): nothing
 * comes from it, and nothing that waits to be sent leaves.
 * How long it waits before it tries again:
 * - Pauses are jittered, and grow with the attempts in vain since the last welcome; four short ones come first. A server
 *   that welcomes and drops at once, again and again, counts as one that does not answer.
 * - A pause that the server has asked for is kept, and says nothing of how the server is: the next one is as long as ever.
 * - When the page is visible again, the network back, or the server reached another way (another tab leads), it tries at
 *   once, unless the server has asked for the pause; pauses begin anew, as what failed before was something else.
 */
export class ConnectionKeeper {
  readonly #transport: Transport
  readonly #timers: Timers
  readonly #user: ConnectionUser
  readonly #subscription = new Subscription()
  readonly #database: string
  /** Attempts in vain, in a row. */
  #futile = 0
  /** Connections in a row that ended as soon as they were welcomed. */
  #brief = 0
  /** A connection was asked for, and is not over. */
  #began = false
  #isOpen = false
  #cancelRetry: (() => void) | undefined
  #cancelQuiet: (() => void) | undefined
  #cancelSteady: (() => void) | undefined
  /** The pause that the server has asked for. */
  #askedMs: number | undefined
  /** Why the connection was ended here, where that is all there is to tell. */
  #why: string | undefined
  #resting = false
  #stopped = false

  constructor(transport: Transport, database: string, user: ConnectionUser, timers: Timers) {
    this.#transport = transport
    this.#database = database
    this.#user = user
    this.#timers = timers
  }

  start(): void {
    this.#subscription.add(
      this.#transport.status$.subscribe(({ state, reason }) => {
        if (!this.#began) return
        if (state === 'open') {
          this.#isOpen = true
          this.#listen()
          this.#user.opened()
        } else if (state === 'closed') this.#over(reason)
      }),
    )
    this.#subscription.add(
      this.#transport.messages$.subscribe((message) => {
        if (!this.#began) return
        this.#listen()
        this.#user.received(message)
      }),
    )
    this.#subscription.add(this.#transport.renewed$?.subscribe(() => this.wake()))
    for (const { target, event, isOne } of wakers()) {
      const wake = (): void => {
        if (isOne()) this.wake()
      }
      target.addEventListener(event, wake)
      this.#subscription.add(() => target.removeEventListener(event, wake))
    }
    this.#open()
  }

  /** The server has welcomed us: it is there, and well unless it drops us at once. */
  welcomed(): void {
    this.#brief++
    this.#futile = this.#brief
    this.#cancelSteady?.()
    this.#cancelSteady = this.#timers.after(STEADY_MS, () => this.#forgetFailures())
  }

  /** Ends this connection and begins another: after so long at least, where the server has asked for that. */
  reconnect(askedMs?: number): void {
    this.#askedMs = askedMs
    if (this.#began) this.#transport.close()
    else if (this.#resting) this.#over(undefined)
  }

  /** Ends what there is, and tries nothing until it is told to. Nobody hears of `lost`. */
  rest(): void {
    if (this.#stopped) return
    this.#clear()
    this.#resting = true
    this.#transport.close()
  }

  /** Tries at once, after `rest`. */
  proceed(): void {
    if (this.#stopped || !this.#resting) return
    this.#resting = false
    this.#openAfter(0)
  }

  /** Ends what there is, and begins anew at once, as if nothing had been. */
  restart(): void {
    this.rest()
    this.#forgetFailures()
    this.proceed()
  }

  /** Something is better than it was: tries now, if it is waiting to; asks for a word, if it is connected. */
  wake(): void {
    if (this.#cancelRetry && this.#askedMs === undefined) {
      this.#cancelRetry()
      this.#forgetFailures()
      this.#open()
    } else if (this.#isOpen) this.#ask()
  }

  stop(): void {
    if (this.#stopped) return
    this.rest()
    this.#stopped = true
    this.#subscription.unsubscribe()
  }

  #open(): void {
    this.#cancelRetry = undefined
    this.#askedMs = undefined
    this.#began = true
    this.#transport.open(this.#database)
  }

  #openAfter(ms: number): void {
    this.#cancelRetry = this.#timers.after(ms, () => this.#open())
  }

  #clear(): void {
    this.#began = false
    this.#isOpen = false
    this.#resting = false
    this.#why = undefined
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#cancelQuiet?.()
    this.#cancelSteady?.()
  }

  #over(reason: string | undefined): void {
    const why = reason ?? this.#why
    this.#clear()
    // First: whoever is told may begin anew.
    this.#retry()
    this.#user.lost(why)
  }

  #retry(): void {
    const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** Math.max(this.#futile - QUICK_RETRIES + 1, 0), LAST_RETRY_MS)
    // Anything between half and all of it, so that not everyone comes back at once.
    const ownMs = pauseMs * (0.5 + this.#timers.random() / 2)
    if (this.#askedMs === undefined) this.#futile++
    this.#openAfter(this.#askedMs === undefined ? ownMs : Math.max(this.#askedMs, ownMs))
  }

  #forgetFailures(): void {
    this.#futile = 0
    this.#brief = 0
  }

  #listen(): void {
    this.#cancelQuiet?.()
    this.#cancelQuiet = this.#timers.after(QUIET_MS, () => this.#ask())
  }

  #ask(): void {
    this.#cancelQuiet?.()
    // Without the ping: that leaves for the network also where there is nobody any more.
    const { buffered } = this.#transport
    this.#user.ping()
    this.#expect(buffered, buffered > 0 ? LEAVE_MS : ANSWER_MS)
  }

  /** @param waiting what waits to be sent: less of it is a sign of life */
  #expect(waiting: number, ms: number): void {
    const lookMs = waiting > 0 ? Math.min(LOOK_MS, ms) : ms
    this.#cancelQuiet = this.#timers.after(lookMs, () => {
      const { buffered } = this.#transport
      if (buffered < waiting) this.#listen()
      else if (ms > lookMs) this.#expect(buffered, ms - lookMs)
      else {
        this.#why = 'the server has fallen silent'
        this.#transport.close()
      }
    })
  }
}

/** What a page or a worker hears when it is worth trying at once. */
function wakers(): { readonly target: EventTarget; readonly event: string; readonly isOne: () => boolean }[] {
  if (typeof globalThis.addEventListener !== 'function') return []
  const online = { target: globalThis, event: 'online', isOne: () => true }
  const { document } = globalThis as { readonly document?: Document }
  if (document === undefined) return [online]
  return [online, { target: document, event: 'visibilitychange', isOne: () => document.visibilityState === 'visible' }]
}
