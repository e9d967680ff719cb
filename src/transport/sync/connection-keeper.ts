import { Subscription } from 'rxjs'
import type { Transport } from '../transport.ts'
import type { Timers } from './timers.ts'

/** A connection that worked, and each other address, is tried within so long: at random, so that not everyone comes at once. */
const AT_ONCE_MS = 100
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 30_000
/** So many pauses in a row are of the shortest: a server that is started anew is found within a second. */
const QUICK_RETRIES = 4
/** A connection that has lasted so long since the welcome is none that a server takes only to drop it. */
const STEADY_MS = 2_000
/** So often in a row a server may send us to another without a pause. */
const MOST_REDIRECTS = 3
/** A server that can't be connected to for so long is passed over, where there is another: soon, when each is tried first. */
const OPENING_SOON_MS = 2_000
const OPENING_MS = 10_000
/** After so long without a word the server is asked for one. */
const QUIET_MS = 20_000
/** It has so long to answer. */
const ANSWER_MS = 10_000
/** Where there is another server, one that was sent something is asked, and has to answer, sooner. */
const SOON_MS = 1_000
const SOON_ANSWER_MS = 2_000
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
 * comes from it, and nothing that waits to be sent leaves. Where there is another server, one that answers nothing of what it
 * was sent is left soon, once: on a line that is slow each would be as long in answering.
 * How long it waits before it tries again:
 * - After the loss of a connection that has worked it tries at once, and once with each address that there is.
 * - Then there are pauses. They are jittered, and grow with the attempts in vain since the last welcome; four short ones
 *   come first. A server that welcomes and drops at once, twice in a row, counts as one that does not answer.
 * - Where a server sends us it goes at once, but not for ever.
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
  /** Attempts since a connection has worked. */
  #attempts = 0
  /** Connections in a row that ended as soon as they were welcomed. */
  #brief = 0
  /** Servers in a row that have sent us to another. */
  #redirects = 0
  #isRedirected = false
  /** A connection was asked for, and is not over. */
  #began = false
  #isOpen = false
  #cancelRetry: (() => void) | undefined
  #cancelOpening: (() => void) | undefined
  #cancelQuiet: (() => void) | undefined
  #cancelSteady: (() => void) | undefined
  /** Something was sent, and nothing has come since. */
  #isAwaiting = false
  /** A server was left because it did not answer soon, and none has answered since: then it is the line that is slow. */
  #isLineSlow = false
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
          this.#cancelOpening?.()
          this.#listen()
          this.#user.opened()
        } else if (state === 'closed') this.#over(reason)
      }),
    )
    this.#subscription.add(
      this.#transport.messages$.subscribe((message) => {
        if (!this.#began) return
        if (this.#isAwaiting) this.#isLineSlow = false
        this.#isAwaiting = false
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
    this.#attempts = this.#brief < 2 ? 0 : this.#addresses + this.#brief - 2
    this.#cancelSteady?.()
    this.#cancelSteady = this.#timers.after(STEADY_MS, () => this.#forgetFailures())
  }

  /** Something was sent that the server answers. */
  sent(): void {
    if (!this.#isOpen || this.#isAwaiting || this.#addresses < 2) return
    this.#isAwaiting = true
    if (this.#isLineSlow) return
    this.#cancelQuiet?.()
    this.#cancelQuiet = this.#timers.after(SOON_MS, () => this.#ask(SOON_ANSWER_MS))
  }

  /**
   * The server has said where to go: with `reconnect` the next connection goes there. Says why where it does not.
   */
  redirect(address: string): string | undefined {
    const { addresses } = this.#transport
    if (!addresses) return 'this transport goes to one place only'
    const refused = addresses.redirect(address)
    if (refused !== undefined) return refused
    this.#redirects++
    this.#isRedirected = true
    return undefined
  }

  /** This server is of no use now: the next connection goes to another. Says whether there is one. */
  moveOn(): boolean {
    this.#transport.addresses?.next()
    return this.#addresses > 1
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

  get #addresses(): number {
    return this.#transport.addresses?.count ?? 1
  }

  #open(): void {
    if (this.#askedMs === undefined) this.#attempts++
    this.#cancelRetry = undefined
    this.#askedMs = undefined
    const hasAnother = this.#addresses > 1 || this.#isRedirected
    this.#isRedirected = false
    this.#began = true
    if (hasAnother) {
      const ms = this.#attempts > this.#addresses ? OPENING_MS : OPENING_SOON_MS
      this.#cancelOpening = this.#timers.after(ms, () => this.#leave('the server does not answer'))
    }
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
    this.#isAwaiting = false
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#cancelOpening?.()
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
    this.#openAfter(Math.max(this.#askedMs ?? 0, this.#pauseMs()))
  }

  #pauseMs(): number {
    const futile = this.#attempts - this.#addresses
    if (this.#redirects <= MOST_REDIRECTS && (futile < 0 || this.#isRedirected))
      return this.#timers.random() * AT_ONCE_MS
    const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** Math.max(futile - QUICK_RETRIES + 1, 0), LAST_RETRY_MS)
    // Anything between half and all of it, so that not everyone comes back at once.
    return pauseMs * (0.5 + this.#timers.random() / 2)
  }

  #forgetFailures(): void {
    this.#attempts = 0
    this.#brief = 0
    this.#redirects = 0
  }

  #listen(): void {
    this.#cancelQuiet?.()
    this.#cancelQuiet = this.#timers.after(QUIET_MS, () => this.#ask())
  }

  #ask(answerMs = ANSWER_MS): void {
    this.#cancelQuiet?.()
    // Without the ping: that leaves for the network also where there is nobody any more.
    const { buffered } = this.#transport
    this.#user.ping()
    this.#expect(buffered, buffered > 0 ? LEAVE_MS : answerMs)
  }

  /** @param waiting what waits to be sent: less of it is a sign of life */
  #expect(waiting: number, ms: number): void {
    const lookMs = waiting > 0 ? Math.min(LOOK_MS, ms) : ms
    this.#cancelQuiet = this.#timers.after(lookMs, () => {
      const { buffered } = this.#transport
      if (buffered < waiting) this.#listen()
      else if (ms > lookMs) this.#expect(buffered, ms - lookMs)
      else this.#leave('the server has fallen silent')
    })
  }

  #leave(why: string): void {
    this.#isLineSlow = this.#isAwaiting
    this.#why = why
    this.moveOn()
    this.#transport.close()
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
