import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Accept } from '../../transport/index.ts'

/** Hands a WebSocket over as a connection of the sync protocol. Throws what `accept` throws. */
export function serveSocket(socket: WebSocket, request: IncomingMessage, accept: Accept): void {
  // A client may answer a close without its reason: what the server itself gave counts.
  let own: string | undefined
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
    },
  )
  socket.on('message', (data: Buffer, isBinary) => {
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
