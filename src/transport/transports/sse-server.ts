import type { Accept } from '../connection.ts'
import { readBatch } from './read-batch.ts'
import { SseSession } from './sse-session.ts'

export interface SseHandlerOptions {
  /** How often an idle stream carries a comment, so that proxies keep it and a dead one is noticed. 15,000 by default. */
  readonly heartbeatMs?: number | undefined
  /** The longest body of a POST that is taken, in bytes. 16 MiB by default. */
  readonly maxBodyBytes?: number | undefined
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Or nginx would hold events back.
  'x-accel-buffering': 'no',
}

/**
 * The server's end of `sseTransport`, as a handler of Web-standard requests, for whatever path it is mounted on: GET opens a
 * stream, whose first event names its session; POST brings `{ session, n, messages }` to that session. Whoever knows a
 * session's secret may write to it; nothing else about the two requests needs to agree.
 *
 * Whatever turns the response into bytes must heed the stream's back-pressure and cancel it when the client goes away.
 * Rejects with what `accept` or a connection's `receive` throws.
 */
export function createSseHandler(
  accept: Accept,
  options: SseHandlerOptions = {},
): (request: Request) => Promise<Response> {
  const { heartbeatMs = 15_000, maxBodyBytes = 16 * 1024 * 1024 } = options
  const sessions = new Map<string, SseSession>()

  const open = (request: Request): Response => {
    const id = crypto.randomUUID()
    const session = new SseSession(id, heartbeatMs, () => sessions.delete(id))
    sessions.set(id, session)
    const { pathname, search } = new URL(request.url)
    session.begin(accept, { url: pathname + search, headers: new Map(request.headers) }, request.signal)
    return new Response(session.stream, { headers: STREAM_HEADERS })
  }

  const take = async (request: Request): Promise<Response> => {
    const batch = await readBatch(request, maxBodyBytes)
    if (batch instanceof Response) return batch
    const session = sessions.get(batch.session)
    if (!session) return new Response('this session is over or never was', { status: 404 })
    return session.take(batch)
      ? new Response(null, { status: 204 })
      : new Response(`batch ${batch.n} is out of order`, { status: 409 })
  }

  return async (request) => {
    if (request.method === 'GET') return open(request)
    if (request.method === 'POST') return take(request)
    return new Response('only GET and POST are answered here', { status: 405, headers: { allow: 'GET, POST' } })
  }
}
