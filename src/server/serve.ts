import { createServer, type HttpOptions, type Listening, type ListenOptions, type RowcastServer } from './http/index.ts'
import type { ServerOptions } from './create-server.ts'
import { lockDirectory } from './lock-directory.ts'
import { readSecret } from './secret.ts'
import { fileStorage } from './storage-options.ts'

/** A server on its port. */
export interface Serving extends Listening, Pick<RowcastServer, 'disconnect'> {}

export interface ServeOptions extends Omit<ServerOptions, 'storage' | 'secret'>, HttpOptions, ListenOptions {
  /** The directory of the databases, made if missing. It also keeps the secret that positions are made with. */
  readonly directory: string
}

/**
 * A server with its databases in a directory of this machine, on a port: what `rowcast serve` runs. `close` ends it
 * gracefully. Rejects with RowcastError where the directory or the port can't be had.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { directory, port, host, ...rest } = options
  const secret = await readSecret(directory)
  const unlock = lockDirectory(directory)
  try {
    const server = createServer({ ...rest, secret, storage: fileStorage(directory) })
    const close = (): Promise<void> => server.close().finally(unlock)
    try {
      const { url, port: actual } = await server.listen({ port, host })
      return { url, port: actual, close, disconnect: server.disconnect }
    } catch (error) {
      await server.close()
      throw error
    }
  } catch (error) {
    unlock()
    throw error
  }
}
