import type { ConnectionRequest } from '../transport/index.ts'

const PATH = /^\/v1\/databases\/([^/?]+)\/(?:sync|events)(?:\?|$)/

/**
 * The only database that a connection may be for: that of its address. `undefined` where the address names none (a
 * transport of one's own), or where the connection is one of several that share another's, each for a database of its own.
 */
export function boundDatabase({ url, multiplexed }: ConnectionRequest): string | undefined {
  const part = multiplexed === true ? undefined : PATH.exec(url)?.[1]
  if (part === undefined) return undefined
  try {
    return decodeURIComponent(part)
  } catch (error) {
    // No name of a database has a percent sign: it is none that `hello` could name and open.
    if (error instanceof URIError) return part
    throw error
  }
}
