import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Accept } from '../../transport/index.ts'

/** How long a client that is not known may take to close, once it has to. */
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
  // What is longer than it takes is not read to its end: `ws` has one limit for all, and it reads on after a close.
  const count = ({ length }: Buffer): void => {
    arrived += length
    const allowed = own === undefined ? (handler.allowedBytes ?? Infinity) : 0
    if (ending || arrived <= allowed + CHUNK_BYTES) return
    ending = true
    if (own === undefined) handler.tooLarge?.()
    socket.pause()
    setTimeout(() => socket.terminate(), GRACE_MS).unref()
  }
  // Too long a message, a frame that is none: `close` follows, with a code that says so.
  socket.on('error', () => undefined)
  const handler = accept(
    {
      send: (message) => {
        if (socket.readyState === socket.OPEN) socket.send(message)
      },
      get buffered() {
        return socket.bufferedAmount
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
    if (own !== undefined) return
    if (isBinary) {
      own = 'binary messages are not taken'
      socket.close(1003, own)
      return
    }
    handler.receive(data.toString('utf8'))
  })
  socket.on('close', (code, reason) => {
    handler.closed(own ?? (reason.length > 0 ? reason.toString('utf8') : `closed with code ${code}`))
  })
}
