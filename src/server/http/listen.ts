import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { RowcastError } from '../../errors/index.ts'
import { refuseUpgrade, type Upgrade } from '../ws/index.ts'

export interface ListenOptions {
  /** 0 for any that is free; 8787 if not given. */
  readonly port?: number | undefined
  /** `127.0.0.1` if not given: `0.0.0.0` for all of IPv4. */
  readonly host?: string | undefined
}

/** A port that is served. */
export interface Listening {
  readonly url: string
  readonly port: number
  /** Takes no more connections, and resolves once those there were have ended: in five seconds at most. */
  close(): Promise<void>
}

const GRACE_MS = 5_000

/** Serves handlers on a port. Rejects with RowcastError (`listen`) where it can't be had. */
export async function listen(
  handlers: {
    readonly fetch: (request: Request, from: { readonly address: string | undefined }) => Promise<Response>
    readonly upgrade: Upgrade
    readonly report: (error: unknown) => void
  },
  { port = 8787, host = '127.0.0.1' }: ListenOptions,
): Promise<Listening> {
  const answer = getRequestListener(
    (request, { incoming }) => handlers.fetch(request, { address: incoming.socket.remoteAddress }),
    { overrideGlobalObjects: false },
  )
  let closed: Promise<void> | undefined
  // A page of another name that leads here would otherwise be let in as a page of this host.
  const isForeign = ({ headers }: IncomingMessage): boolean => isLoopback(host) && !isLoopback(nameOf(headers.host))
  const server = createServer((request, response) => {
    if (isForeign(request)) {
      response.writeHead(421, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code: 'host', reason: 'this server is served on loopback names only' } }))
      return
    }
    // Node keeps a connection whose last answer ends while the server closes.
    response.once('close', () => closed && setImmediate(() => server.closeIdleConnections()))
    answer(request, response).catch(handlers.report)
  })
  server.on('upgrade', (request, socket, head) => {
    if (isForeign(request)) refuseUpgrade(socket, 421, 'this server is served on loopback names only')
    else if (!handlers.upgrade(request, socket, head)) refuseUpgrade(socket, 404, 'no WebSocket is taken here')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(failure(cause, host, port)))
    server.listen(port, host, resolve)
  })
  server.on('error', handlers.report)
  const { port: actual } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
      server.close(() => {
        clearTimeout(timer)
        resolve()
      })
      server.closeIdleConnections()
    })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    port: actual,
    close: () => (closed ??= close()),
  }
}

function nameOf(host: string | undefined): string {
  return (host ?? 'localhost').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host)
}

function failure(cause: NodeJS.ErrnoException, host: string, port: number): RowcastError<'listen'> {
  const at = `port ${port} of ${host}`
  if (cause.code === 'EADDRINUSE') return new RowcastError('listen', `${at} is taken: give another port`, { cause })
  if (cause.code === 'EACCES')
    return new RowcastError('listen', `${at} may not be had: give one from 1024 on`, { cause })
  return new RowcastError('listen', `${at} can't be had (${cause.message})`, { cause })
}
