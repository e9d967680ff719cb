import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { holdFor, type Accept } from '../../transport/index.ts'

/** What the network brings at once: the end of a message, and beginnings of others. */
const CHUNK_BYTES = 64 * 1024
/** How long a client that goes on sending what is not taken may take to read why. */
const GRACE_MS = 1_000

/** Hands a WebSocket over as a connection of the sync protocol. Throws what `accept` throws. */
export function serveSocket(socket: WebSocket, request: IncomingMessage, accept: Accept): void {
  // A client may answer a close without its reason: what the server itself gave counts.
  let own: string | undefined
  let arrived = 0
  let ending = false
  const held: (() => void)[] = []
  const letGo = (): void => {
    for (const release of held.splice(0)) release()
  }
  // What is longer than it takes is not read to its end: `ws` has one limit for all, and it reads on after a close.
  const count = ({ length }: Buffer): void => {
    arrived += length
    if (ending || arrived <= CHUNK_BYTES) return
    const allowed = own === undefined ? (handler.allowedBytes ?? Infinity) : 0
    if (arrived <= allowed + CHUNK_BYTES) {
      const release = holdFor(handler, length)
      if (release) {
        held.push(release)
        return
      }
    }
    ending = true
    if (own === undefined) handler.tooLarge?.()
    socket.pause()
    setTimeout(() => socket.terminate(), GRACE_MS).unref()
  }
  // Too long a message, a frame that is none: `close` follows, with a code that says so.
  socket.on('error', () => undefined)
  // Those for whom it is not read.
  const pauses = new Set<object>()
  const handler = accept(
    {
      send: (message) => {
        if (socket.readyState === socket.OPEN) socket.send(message)
      },
      get buffered() {
        return socket.bufferedAmount
      },
      pause: () => {
        const pause = {}
        pauses.add(pause)
        socket.pause()
        return () => {
          if (pauses.delete(pause) && pauses.size === 0 && !ending) socket.resume()
        }
      },
      close: (code, reason) => {
        own ??= reason
        socket.close(code, reason)
      },
    },
    {
      url: request.url ?? '/',
      headers: new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      address: request.socket.remoteAddress,
    },
  )
  request.socket.prependListener('data', count)
  socket.on('message', (data: Buffer, isBinary) => {
    arrived = 0
    letGo()
    if (own !== undefined) return
    if (isBinary) {
      own = 'binary messages are not taken'
      socket.close(1003, own)
      return
    }
    handler.receive(data.toString('utf8'))
  })
  socket.on('close', (code, reason) => {
    letGo()
    handler.closed(own ?? (reason.length > 0 ? reason.toString('utf8') : `closed with code ${code}`))
  })
}
