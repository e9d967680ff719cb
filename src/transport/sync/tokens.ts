import type { TokenSource } from '../transport.ts'
import { describeFailure } from '../transports/describe-failure.ts'
import type { Timers } from './timers.ts'

/** A server waits ten seconds for a hello: a connection that has no token by now ends before it does that. */
const PATIENCE_MS = 5_000
/** A token that has not come by now is not waited for any longer. */
const LONGEST_MS = 60_000

/** What is done with tokens. */
export interface TokenUser {
  /** The one for the connection that is open: `undefined` where there are none. */
  came(token: string | undefined): void
  /** It is long in coming: the connection is of no use until `late` tells of it. */
  waiting(): void
  /** What was waited for is here. It is for the next connection, which is to be opened now. */
  late(): void
  /** None comes. It may be asked for again. */
  failed(reason: string): void
}

/**
 * Gives each connection a fresh token. It is asked for once there is a connection, and belongs to that: with it, what comes
 * later is dropped. Only one that takes longer than a server waits for is brought to the next connection.
 */
export class Tokens {
  readonly #timers: Timers
  readonly #user: TokenUser
  #source: TokenSource | undefined
  #cancel: (() => void) | undefined
  #late: { readonly token: string | undefined } | undefined

  constructor(source: TokenSource | undefined, user: TokenUser, timers: Timers) {
    this.#source = source
    this.#user = user
    this.#timers = timers
  }

  /** From now on they come from there. */
  replace(source: TokenSource): void {
    this.#source = source
  }

  /** A connection is open, and needs one. */
  need(): void {
    const late = this.#late
    this.drop()
    if (late) this.#user.came(late.token)
    else if (typeof this.#source === 'function') this.#ask(this.#source)
    else this.#user.came(this.#source)
  }

  /** The connection is over, and what was asked for it of no use. */
  drop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#late = undefined
  }

  #ask(source: Exclude<TokenSource, string>): void {
    let isLate = false
    const patience = this.#timers.after(PATIENCE_MS, () => {
      isLate = true
      this.#user.waiting()
    })
    const longest = this.#timers.after(LONGEST_MS, () => {
      fail(`token() has given none for ${LONGEST_MS / 1000} s`)
    })
    const cancel = (): void => {
      patience()
      longest()
    }
    const fail = (reason: string): void => {
      this.drop()
      this.#user.failed(reason)
    }
    const arrive = (token: string | undefined): void => {
      this.drop()
      if (!isLate) return this.#user.came(token)
      this.#late = { token }
      this.#user.late()
    }
    this.#cancel = cancel
    read(source).then(
      (token) => (this.#cancel === cancel ? arrive(token) : undefined),
      (error: unknown) => (this.#cancel === cancel ? fail(`no token: ${describeFailure(error)}`) : undefined),
    )
  }
}

async function read(source: Exclude<TokenSource, string>): Promise<string | undefined> {
  const token: unknown = await source()
  if (token !== undefined && typeof token !== 'string') throw new TypeError('token() has given no text')
  return token
}
