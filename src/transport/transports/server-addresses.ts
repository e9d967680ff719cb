import { RowcastError } from '../../errors/index.ts'
import { platformTimers, type Timers } from '../sync/timers.ts'
import type { Addresses } from '../transport.ts'
import type { Link, LinkEvents } from './create-transport.ts'
import { describeFailure } from './describe-failure.ts'
import { endpointOf, isEncrypted, isServer, type EndpointKind } from './endpoint.ts'

/** One address of a server, or those of several that serve the same databases. */
export type Urls = string | URL | readonly (string | URL)[]

/** Addresses, or what gives them anew for each connection. */
export type UrlSource = Urls | (() => Urls | Promise<Urls>)

/** A function that has not given its addresses by now is asked again, as if the connection had failed. */
const LONGEST_MS = 30_000

/**
 * The addresses of one transport, and which of them is next: a random one at first, so that clients are spread over the
 * servers; the same again as long as it works; then the one after it. A server may send the transport to another,
 * which need not be among them.
 */
export class ServerAddresses implements Addresses {
  readonly #source: readonly (string | URL)[] | (() => Urls | Promise<Urls>)
  readonly #kind: EndpointKind
  readonly #timers: Timers
  #count = 1
  /** Where a server has sent it. */
  #redirect: string | undefined
  /** The last of its own that was taken, as `nameOf` has it. */
  #own: string | undefined
  /** What it has connected to last, redirected or not. */
  #last: string | undefined
  #isEncrypted = false
  #movesOn = false

  /** Throws RowcastError with code `transport` for a list that is empty, or not of URLs. */
  constructor(source: UrlSource, kind: EndpointKind, timers: Timers = platformTimers) {
    this.#source = typeof source === 'function' ? source : listOf(source)
    if (typeof this.#source !== 'function') this.#count = this.#source.length
    this.#kind = kind
    this.#timers = timers
  }

  get count(): number {
    return this.#count
  }

  next(): void {
    this.#redirect = undefined
    this.#movesOn = true
  }

  redirect(address: string): string | undefined {
    if (!URL.canParse(address) || !isServer(new URL(address))) return `'${address}' is no address of a server`
    // The token would travel in the open.
    if (this.#isEncrypted && !isEncrypted(new URL(address)))
      return `'${address}' is not encrypted, and this connection is`
    this.#redirect = address
    return undefined
  }

  /** Begins a link to the one whose turn it is. Throws where that is no address. */
  connect(database: string, events: LinkEvents, begin: (url: string) => Link): Link {
    const to = (url: string | URL): Link => {
      this.#last = this.#nameOf(url)
      const endpoint = endpointOf(url, database, this.#kind)
      this.#isEncrypted = isEncrypted(new URL(endpoint))
      return begin(endpoint)
    }
    const source = this.#source
    if (this.#redirect !== undefined) return to(this.#redirect)
    if (typeof source !== 'function') return to(this.#choose(source))
    return this.#later(ask(source), events, (urls) => to(this.#choose(urls)))
  }

  #choose(urls: readonly (string | URL)[]): string | URL {
    const names = urls.map((url) => this.#nameOf(url))
    const own = names.findIndex((name) => name === this.#own)
    // Where a redirect led to one of its own, and that is lost, the one after it is next.
    const last = names.findIndex((name) => name === this.#last)
    let at = own
    if (this.#movesOn) at = last === -1 ? own : last
    if (at === -1) at = Math.floor(this.#timers.random() * urls.length)
    else if (this.#movesOn) at = (at + 1) % urls.length
    this.#count = urls.length
    this.#movesOn = false
    this.#own = names[at]!
    return urls[at]!
  }

  /** The same for the same server. One that is no address is tried in its turn, and says so then. */
  #nameOf(url: string | URL): string {
    try {
      return endpointOf(url, '', this.#kind)
    } catch {
      return String(url)
    }
  }

  #later(
    asked: Promise<readonly (string | URL)[]>,
    events: LinkEvents,
    begin: (urls: readonly (string | URL)[]) => Link,
  ): Link {
    let link: Link | undefined
    let isOver = false
    const end = (): void => {
      isOver = true
      late()
    }
    const fail = (reason: string): void => {
      if (isOver) return
      end()
      events.closed(reason)
    }
    const late = this.#timers.after(LONGEST_MS, () => fail(`url() has given no address for ${LONGEST_MS / 1000} s`))
    const go = async (): Promise<void> => {
      const urls = await asked
      if (isOver) return
      late()
      link = begin(urls)
    }
    go().catch((error: unknown) => fail(`no address: ${describeFailure(error)}`))
    return {
      send: (message) => link?.send(message),
      get buffered() {
        return link?.buffered ?? 0
      },
      close: () => {
        end()
        link?.close()
      },
    }
  }
}

async function ask(source: () => Urls | Promise<Urls>): Promise<readonly (string | URL)[]> {
  return listOf(await source())
}

function listOf(urls: unknown): readonly (string | URL)[] {
  const list: readonly unknown[] = Array.isArray(urls) ? urls : [urls]
  if (list.length === 0) throw new RowcastError('transport', 'url: the list is empty: give the address of a server')
  for (const url of list) {
    if (typeof url !== 'string' && !(url instanceof URL))
      throw new RowcastError(
        'transport',
        `url: ${String(url)} is no address: give texts or URLs, or a function of them`,
      )
  }
  return [...list] as (string | URL)[]
}
