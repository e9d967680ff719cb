import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Subject } from 'rxjs'
import { WebSocketServer } from 'ws'
import type { Accept, ConnectionRequest, ServerConnection } from '../../../src/transport/connection.ts'

/** What the server saw of one connection. */
export interface Seen {
  readonly connection: ServerConnection
  readonly request: ConnectionRequest
  readonly received: string[]
  /** Each reason that `closed` was called with: there should be one in the end. */
  readonly closed: string[]
}

/** A server that keeps what it sees, and answers nothing unless told. */
export class Recorder {
  readonly seen: Seen[] = []
  /** Says that something was seen. */
  readonly moved$ = new Subject<void>()
  /** Called as each connection begins. */
  greet: (connection: ServerConnection) => void = () => undefined

  readonly accept: Accept = (connection, request) => {
    const seen: Seen = { connection, request, received: [], closed: [] }
    this.seen.push(seen)
    this.greet(connection)
    this.moved$.next()
    return {
      receive: (message) => {
        seen.received.push(message)
        this.moved$.next()
      },
      closed: (reason) => {
        seen.closed.push(reason)
        this.moved$.next()
      },
    }
  }
}

/** A socket server on a free port of the loopback. */
export interface Listening {
  readonly host: string
  stop(): Promise<void>
}

export async function listen(server: Server): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A port of the loopback where nobody listens. */
export async function deadHost(): Promise<string> {
  const { host, stop } = await listen(createServer())
  await stop()
  return host
}

/** Node's requests and responses as Web-standard ones. */
export function toNode(handle: (request: Request) => Promise<Response>): RequestListener {
  return (incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const body = incoming.method === 'POST' ? { body: Readable.toWeb(incoming), duplex: 'half' } : {}
      const response = await handle(
        new Request(`http://${incoming.headers.host}${incoming.url}`, {
          method: incoming.method ?? 'GET',
          headers: Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
          ...body,
        } as RequestInit),
      )
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      if (response.body)
        await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), outgoing)
      else outgoing.end()
    }
    answer().catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : new Error(String(error))))
  }
}

/** `ws` as the server of WebSocket connections. */
export async function listenWebSocket(accept: Accept): Promise<Listening & { readonly sockets: WebSocketServer }> {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    // A client may answer a close without its reason: what the server itself gave counts.
    let own: string | undefined
    const handler = accept(
      {
        send: (message) => socket.send(message),
        get buffered() {
          return socket.bufferedAmount
        },
        close: (code, reason) => {
          own ??= reason
          socket.close(code, reason)
        },
      },
      { url: request.url ?? '/', headers: new Map(Object.entries(request.headers).map(([k, v]) => [k, String(v)])) },
    )
    socket.on('message', (data) => handler.receive(String(data)))
    socket.on('close', (_code, reason) => handler.closed(own ?? String(reason)))
  })
  return { ...(await listen(server)), sockets }
}
