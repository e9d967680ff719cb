import { createParser } from 'eventsource-parser'
import type { SyncTransport } from '../../store/index.ts'
import type { Timers } from '../sync/timers.ts'
import type { TokenSource, Transport } from '../transport.ts'
import { createTransport, type Link, type LinkEvents } from './create-transport.ts'
import { describeFailure } from './describe-failure.ts'
import type { SseClose } from './sse-events.ts'
import { endpointOf } from './endpoint.ts'
import { SsePosts } from './sse-posts.ts'

export interface SseTransportOptions {
  /** The server's address, or that of its events, for the GET and for the POSTs. Keep secrets out of it. */
  readonly url: string | URL
  /** Says who this is. It travels in the first message, never in the URL. */
  readonly token?: TokenSource | undefined
  /** Time for the sync client: the platform's if not given. */
  readonly timers?: Timers | undefined
  /** Instead of the platform's own, for headers, cookies or a proxy of one's own. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** How much of a refusal's body is shown. */
const SHOWN_CHARACTERS = 200

/**
 * Server-sent events down, POSTs up, for networks that let no WebSocket through. One POST is under way at a time and takes
 * all that has gathered, so order is kept; one that fails ends the connection. `buffered` is in bytes. The other end
 * is `createSseHandler`.
 *
 * Over HTTP/1 a browser opens six connections to one host, and each of these holds one.
 */
export function sseTransport(options: SseTransportOptions): Transport & SyncTransport {
  const load = options.fetch ?? globalThis.fetch.bind(globalThis)
  return createTransport(
    (events, database) => new SseLink(endpointOf(options.url, database, 'events', 'http'), load, events),
    options,
  )
}

class SseLink implements Link {
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #events: LinkEvents
  readonly #abort = new AbortController()
  readonly #posts: SsePosts

  constructor(url: string, load: typeof globalThis.fetch, events: LinkEvents) {
    this.#url = url
    this.#fetch = load
    this.#events = events
    this.#posts = new SsePosts(url, load, this.#abort.signal, (reason) => this.#fail(reason))
    this.#listen().then(
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
    this.#abort.abort()
  }

  #fail(reason: string): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    this.#events.closed(reason)
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
