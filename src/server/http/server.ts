import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { acceptMuxToo, type Accept } from '../../transport/index.ts'
import type { User } from '../access.ts'
import { ServerCore, type ServerOptions } from '../create-server.ts'
import type { Databases } from '../databases.ts'
import { createUpgrade } from '../ws/index.ts'
import { relayConnections } from '../relay/index.ts'
import { createApp } from './app.ts'
import { ExportFiles } from './export-files.ts'
import { listen, type ListenOptions, type Listening } from './listen.ts'
import { Metrics } from './metrics.ts'
import { createOriginGate } from './origin-gate.ts'
import type { CorsOptions } from './origins.ts'

export interface HttpOptions {
  /** Pages of which other origins may talk to the server; none without it. */
  readonly cors?: CorsOptions | undefined
  /** The longest file that an import takes, in bytes; 256 MiB if not given. */
  readonly importBytes?: number | undefined
  /** Whether `/metrics` is for everyone; if not given, only where there is no `authenticate`. */
  readonly publicMetrics?: boolean | undefined
  /** How often a WebSocket is asked whether it lives; one from which nothing has come, and that has taken nothing, by the next time is ended. 30,000 if not given. */
  readonly pingMs?: number | undefined
}

/** A sync server that is not bound to any port. */
export interface RowcastServer {
  /** Answers every call but the WebSocket's. Never rejects. `from` tells those apart who don't say who they are. */
  readonly fetch: (request: Request, from?: { readonly address?: string | undefined }) => Promise<Response>
  /** Takes a connection of the sync protocol from a transport of one's own. */
  readonly accept: Accept
  /**
   * Takes the WebSocket of `/v1/databases/:db/sync`: for the event `upgrade` of a Node server. `false` for another path,
   * whose socket it leaves alone.
   */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
  readonly databases: Databases
  /**
   * Ends the connections of a user, by `id`, and returns how many there were. The user may come back with a token that is
   * still taken: whoever is to stay away is `isRevoked`, or gets no token any more.
   */
  readonly disconnect: (user: string | Pick<User, 'id'>) => number
  /** Serves on a port of its own, on Node. Rejects where the port can't be had. */
  listen(options?: ListenOptions): Promise<Listening>
  /** Tells everyone connected, finishes what has begun, keeps snapshots. Also ends what `listen` began. Safe to call twice. */
  close(): Promise<void>
}

/**
 * A sync server for any number of databases of one schema, as handlers to mount in a server of one's own, or to let
 * `listen`. Throws RowcastError (`options`) for options that are none.
 */
export function createServer(options: ServerOptions & HttpOptions): RowcastServer {
  const { cors, importBytes = 256 * 1024 * 1024, pingMs = 30_000 } = options
  const metrics = new Metrics()
  const { storage } = options
  const core = new ServerCore(
    storage?.logs ? { ...options, storage: { ...storage, logs: metrics.timed(storage.logs) } } : options,
  )
  metrics.observe(core.databases, core.sessions)
  // A tab that leads brings the sessions of all tabs over its one connection.
  const { placement, secret, report, budgets } = core
  const { messageBytes } = core.limits
  const relay = placement && { placement, secret, report, budgets, messageBytes }
  const accept = acceptMuxToo(metrics.counted(relay ? relayConnections(core.accept, relay) : core.accept))
  const publicMetrics = options.publicMetrics ?? options.authenticate === undefined
  // A browser says nothing of it to the page: the server says where to look.
  const allowsOrigin = createOriginGate(cors, core.report)
  const files = new ExportFiles()
  const fetch = createApp({ core, relay, files, importBytes, accept, metrics, publicMetrics, cors, allowsOrigin })
  const sockets = createUpgrade({
    accept,
    messageBytes,
    pingMs,
    allowsOrigin,
    report: core.report,
  })
  const listening = new Set<Listening>()
  let closed: Promise<void> | undefined

  const close = async (): Promise<void> => {
    const ports = [...listening].map((one) => one.close())
    await core.close()
    await files.close()
    await Promise.all([sockets.close(), ...ports])
  }
  return {
    fetch,
    accept,
    upgrade: sockets.upgrade,
    databases: core.databases,
    disconnect: (user) => core.disconnect(user),
    listen: async (at = {}) => {
      const one = await listen({ fetch, upgrade: sockets.upgrade, report: core.report }, at)
      listening.add(one)
      return one
    },
    close: () => (closed ??= close()),
  }
}
