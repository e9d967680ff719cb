import { createParser } from 'eventsource-parser'
import type { SyncTransport } from '../../store/index.ts'
import { platformTimers, type Timers } from '../sync/timers.ts'
import type { TokenSource, Transport } from '../transport.ts'
import { createTransport, type Link, type LinkEvents } from './create-transport.ts'
import { describeFailure } from './describe-failure.ts'
import type { SseBatch, SseClose } from './sse-events.ts'
import { ServerAddresses, type UrlSource } from './server-addresses.ts'
import { noPlace, takePlace } from './sse-places.ts'
import { SsePosts } from './sse-posts.ts'

export interface SseTransportOptions {
  /**
   * The server's address, or that of its events, for the GET and for the POSTs. Keep secrets out of it. Several, or a function,
   * as for `webSocketTransport`.
   */
  readonly url: UrlSource
  /** Says who this is. It travels in the first message, never in the URL. */
  readonly token?: TokenSource | undefined
  /** Time for the sync client: the platform's if not given. */
  readonly timers?: Timers | undefined
  /** Instead of the platform's own, for headers, cookies or a proxy of one's own. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** How long a stream may take to begin, in milliseconds, before it is asked why. */
const BEGIN_MS = 5_000
/** How long the answer to that may take. */
const PROBE_MS = 5_000

/** How much of a refusal's body is shown. */
const SHOWN_CHARACTERS = 200

/**
 * Server-sent events down, POSTs up, for networks that let no WebSocket through. One POST is under way at a time and takes
 * all that has gathered, so order is kept; one that fails ends the connection. `buffered` is in bytes. The other end
 * is `createSseHandler`.
 *
 * Over HTTP/1.1 a browser opens six connections to one host, and each of these holds one: where five do already, in
 * whichever tabs, another is not opened, and its reason says so. A stream that does not begin, as something on the way
 * holds it back, ends with a reason that says that.
 *
 * Throws RowcastError with code `transport` for a `url` that is an empty list, or no text or URL.
 */
export function sseTransport(options: SseTransportOptions): Transport & SyncTransport {
  const load = options.fetch ?? globalThis.fetch.bind(globalThis)
  const { url, timers = platformTimers } = options
  const addresses = new ServerAddresses(url, 'events', timers)
  return createTransport(
    (events, database) => addresses.connect(database, events, (address) => new SseLink(address, load, events, timers)),
    { ...options, addresses },
  )
}

class SseLink implements Link {
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #events: LinkEvents
  readonly #abort = new AbortController()
  readonly #posts: SsePosts
  readonly #timers: Timers
  /** Takes back that it is asked why there is nothing. */
  #began: () => void = () => undefined

  constructor(url: string, load: typeof globalThis.fetch, events: LinkEvents, timers: Timers) {
    this.#url = url
    this.#fetch = load
    this.#events = events
    this.#timers = timers
    this.#posts = new SsePosts(url, load, this.#abort.signal, (reason) => this.#fail(reason))
    this.#open().then(
      () => this.#fail(`${url} broke off`),
      (error: unknown) => this.#fail(`${url} could not be read: ${describeFailure(error)}`),
    )
  }

  get buffered(): number {
    return this.#posts.buffered
  }

  send(message: string): void {
    this.#posts.send(message)
  }

  close(): void {
    this.#began()
    this.#abort.abort()
  }

  #fail(reason: string): void {
    if (this.#abort.signal.aborted) return
    this.close()
    this.#events.closed(reason)
  }

  /** Until the stream ends. */
  async #open(): Promise<void> {
    const { host } = new URL(this.#url)
    const leave = await takePlace(host)
    if (!leave) {
      this.#fail(noPlace(host))
      return
    }
    try {
      if (this.#abort.signal.aborted) return
      this.#began = this.#timers.after(BEGIN_MS, () => this.#askWhy())
      await this.#listen()
    } finally {
      leave()
    }
  }

  /** Nothing has come yet. A request that is answered tells whether it is the stream that is held back. */
  #askWhy(): void {
    const late = this.#timers.after(PROBE_MS, () =>
      this.#fail(
        `${this.#url} does not answer: the server or what stands before it is down, or other tabs hold all the connections that a browser opens to one host over HTTP/1.1 (then use HTTP/2, webSocketTransport or tabTransport)`,
      ),
    )
    this.#began = late
    this.#probe(late).catch((error: unknown) =>
      this.#fail(`${this.#url} could not be reached: ${describeFailure(error)}`),
    )
  }

  /** A request of no session, which a server answers at once. */
  async #probe(late: () => void): Promise<void> {
    const probe: SseBatch = { session: 'none', n: 1, messages: [] }
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(probe),
      signal: this.#abort.signal,
    })
    await response.text()
    // It may just have begun.
    if (this.#began === late)
      this.#fail(
        `something between here and ${this.#url} holds back server-sent events, a proxy that buffers for one: turn its buffering off for this path (nginx: proxy_buffering off), or use webSocketTransport`,
      )
  }

  /** Until the stream ends. */
  async #listen(): Promise<void> {
    const { signal } = this.#abort
    const response = await this.#fetch(this.#url, {
      headers: { accept: 'text/event-stream' },
      cache: 'no-store',
      signal,
    })
    const type = response.headers.get('content-type') ?? 'no content type'
    if (!response.ok || !response.body || !type.startsWith('text/event-stream')) {
      const said = response.ok ? `with ${type}, which is no event stream` : await refusal(response)
      return this.#fail(`${this.#url} answered ${response.status} ${said}`.trim())
    }
    const parser = createParser({ onEvent: ({ event = 'message', data }) => this.#take(event, data) })
    const decoder = new TextDecoder()
    for (let reader = response.body.getReader(), read = await reader.read(); !read.done; read = await reader.read()) {
      if (signal.aborted) return
      parser.feed(decoder.decode(read.value, { stream: true }))
    }
  }

  #take(event: string, data: string): void {
    // The rest of a chunk whose earlier part made the user close.
    if (this.#abort.signal.aborted) return
    if (event === 'message') this.#events.received(data)
    else if (event === 'text') this.#events.received(JSON.parse(data) as string)
    else if (event === 'session') {
      this.#began()
      this.#began = () => undefined
      this.#posts.session = data
      this.#events.opened()
    } else if (event === 'close') {
      const { code, reason } = JSON.parse(data) as SseClose
      this.#fail(reason === '' ? `the server closed the connection to ${this.#url} with code ${code}` : reason)
    }
  }
}

async function refusal(response: Response): Promise<string> {
  const text = (await response.text()).trim()
  return text === '' ? response.statusText : text.slice(0, SHOWN_CHARACTERS)
}
