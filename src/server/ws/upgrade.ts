import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Accept } from '../../transport/index.ts'
import type { OriginGate } from '../http/origin-gate.ts'
import { isDatabaseName } from '../names.ts'
import { Life } from './life.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { serveSocket } from './serve-socket.ts'

/** Takes a request for a WebSocket; `false` where its path is none of its own. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

export interface Sockets {
  readonly upgrade: Upgrade
  /** Ends every connection: at once where it does not end by itself within a second. Takes none any more. */
  close(): Promise<void>
}

export interface UpgradeOptions {
  readonly accept: Accept
  /** The longest message, in bytes. */
  readonly messageBytes: number
  readonly pingMs: number
  readonly allowsOrigin: OriginGate
  readonly report: (error: unknown) => void
}

const PATH = /^\/v1\/databases\/([^/?]+)\/sync(?:\?|$)/
const GRACE_MS = 1_000
/** How often it is looked whether something leaves, between two pings. */
const LOOKS = 6

/** The WebSockets of one server. */
export function createUpgrade(options: UpgradeOptions): Sockets {
  const { accept, messageBytes, pingMs, allowsOrigin, report } = options
  // A session tells a client that has sent too much; what is far beyond is not read to its end.
  const server = new WebSocketServer({ noServer: true, maxPayload: messageBytes + 4_096, perMessageDeflate: false })
  const lives = new WeakMap<WebSocket, Life>()
  let closed = false
  let looks = 0

  const timer = setInterval(() => {
    const asks = ++looks % LOOKS === 0
    for (const socket of server.clients) {
      const life = lives.get(socket)
      life?.look(socket.bufferedAmount)
      if (!asks) continue
      if (life?.ask() === false) socket.terminate()
      else socket.ping()
    }
  }, pingMs / LOOKS).unref()

  const take = (socket: WebSocket, request: IncomingMessage): void => {
    const life = new Life()
    lives.set(socket, life)
    for (const event of ['pong', 'ping', 'message']) socket.on(event, () => life.heard())
    try {
      serveSocket(socket, request, accept)
    } catch (error) {
      report(error)
      socket.close(1011, 'the server failed')
    }
  }

  return {
    upgrade: (request, socket, head) => {
      const name = PATH.exec(request.url ?? '')?.[1]
      if (name === undefined) return false
      const { origin, host } = request.headers
      if (closed) refuseUpgrade(socket, 503, 'the server is going down', 'unavailable')
      else if (!isDatabaseName(name)) refuseUpgrade(socket, 400, 'the path names no database', 'database-name')
      else if (!allowsOrigin(origin, host))
        refuseUpgrade(socket, 403, `pages of ${origin} may not talk to this server: see the option cors`, 'origin')
      else server.handleUpgrade(request, socket, head, (opened) => take(opened, request))
      return true
    },
    close: async () => {
      closed = true
      clearInterval(timer)
      const left = [...server.clients]
      const gone = left.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
      for (const socket of left) socket.close(1001, 'shutting-down')
      const late = setTimeout(() => {
        for (const socket of left) socket.terminate()
      }, GRACE_MS)
      await Promise.all(gone)
      clearTimeout(late)
    },
  }
}
