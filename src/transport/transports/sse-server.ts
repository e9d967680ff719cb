import type { Accept } from '../connection.ts'
import { readBatch, unknownSession } from './read-batch.ts'
import { BATCH_BYTES } from './sse-events.ts'
import { SseSession } from './sse-session.ts'

export interface SseHandlerOptions {
  /** How often an idle stream carries a comment, so that proxies keep it and a dead one is noticed. 15,000 by default. */
  readonly heartbeatMs?: number | undefined
  /** The longest body of a POST that is taken, in bytes. 18 MiB by default. */
  readonly maxBodyBytes?: number | undefined
  /** How long a body may pause before its request is over, in milliseconds. 30,000 by default. */
  readonly bodyPauseMs?: number | undefined
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Or nginx would hold events back.
  'x-accel-buffering': 'no',
}

/** How long a batch waits for one before it, while nothing comes for its session. */
const MISSING_MS = 5_000

/** What is read of a body that does not begin with its session, in bytes. */
const UNNAMED_BYTES = 8 * 1024

/**
 * The longest body that a client makes whose longest message has so many bytes: messages are texts within JSON, so that
 * each of their quotes takes two.
 */
export function bodyBytes(messageBytes: number): number {
  return 2 * Math.max(messageBytes, BATCH_BYTES) + 1024
}

/**
 * The server's end of `sseTransport`, as a handler of Web-standard requests, for whatever path it is mounted on: GET opens a
 * stream, whose first event names its session; POST brings `{ session, n, messages }` to that session. Whoever knows a
 * session's secret may write to it; nothing else about the two requests needs to agree. A body names its session first: it
 * is read no further than its session takes, and of one that names none only a little.
 *
 * Whatever turns the response into bytes must heed the stream's back-pressure and cancel it when the client goes away.
 * Rejects with what `accept` or a connection's `receive` throws.
 */
export function createSseHandler(
  accept: Accept,
  options: SseHandlerOptions = {},
): (request: Request, from?: { readonly address?: string | undefined }) => Promise<Response> {
  const { heartbeatMs = 15_000, maxBodyBytes = bodyBytes(8 * 1024 * 1024), bodyPauseMs = 30_000 } = options
  const missingMs = Math.min(bodyPauseMs, MISSING_MS)
  const sessions = new Map<string, SseSession>()

  const open = (request: Request, address: string | undefined): Response => {
    const id = crypto.randomUUID()
    const session = new SseSession(id, { heartbeatMs, missingMs }, () => sessions.delete(id))
    sessions.set(id, session)
    const { pathname, search } = new URL(request.url)
    session.begin(accept, { url: pathname + search, headers: new Map(request.headers), address }, request.signal)
    return new Response(session.stream, { headers: STREAM_HEADERS })
  }

  const take = async (request: Request): Promise<Response> => {
    const held: (() => void)[] = []
    const release = (): void => {
      for (const give of held.splice(0)) give()
    }
    try {
      return await takeHolding(request, held, release)
    } finally {
      release()
    }
  }

  const takeHolding = async (request: Request, held: (() => void)[], release: () => void): Promise<Response> => {
    const batch = await readBatch(request, {
      unnamedBytes: UNNAMED_BYTES,
      bytesOf: (id) => {
        const session = sessions.get(id)
        return session && Math.min(maxBodyBytes, bodyBytes(session.allowedBytes))
      },
      hold: (id, bytes) => {
        const release = sessions.get(id)?.hold(bytes)
        if (release) held.push(release)
        return release !== undefined
      },
      tooLarge: (id) => sessions.get(id)?.tooLarge(),
      pauseMs: bodyPauseMs,
    })
    if (batch instanceof Response) return batch
    const session = sessions.get(batch.session)
    if (!session) return unknownSession()
    // What it holds it holds until its turn.
    if (!(await session.turn(batch.n))) return new Response(`batch ${batch.n} is out of order`, { status: 409 })
    release()
    session.take(batch)
    return new Response(null, { status: 204 })
  }

  return async (request, { address } = {}) => {
    if (request.method === 'GET') return open(request, address)
    if (request.method === 'POST') return take(request)
    return new Response('only GET and POST are answered here', { status: 405, headers: { allow: 'GET, POST' } })
  }
}
