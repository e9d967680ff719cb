import { RowcastError } from '../../errors/index.ts'

/** Whether a server can be at an address of this kind. */
export function isServer({ protocol }: URL): boolean {
  return /^(?:https?|wss?):$/.test(protocol)
}

/** Whether what is sent there can't be read on the way. */
export function isEncrypted({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'wss:'
}

/** The last part of an endpoint's path, which says how it is spoken to. */
export type EndpointKind = 'sync' | 'events'

/**
 * The address of a database's sync endpoint: the server's own address with the path of API.md, or the address as it is
 * where it names an endpoint already (`…/sync`, `…/events`). In a page a path will do.
 */
export function endpointOf(url: string | URL, database: string, kind: EndpointKind): string {
  const scheme = kind === 'sync' ? 'ws' : 'http'
  let address: URL
  try {
    address = new URL(url, globalThis.location?.href)
  } catch (cause) {
    throw new RowcastError('transport', `'${String(url)}' is no URL`, { cause })
  }
  if (!isServer(address))
    throw new RowcastError('transport', `'${address.href}' is no address of a server: use ${scheme}: or ${scheme}s:`)
  address.protocol = `${scheme}${isEncrypted(address) ? 's' : ''}:`
  if (!address.pathname.endsWith(`/${kind}`))
    address.pathname = `${address.pathname.replace(/\/$/, '')}/v1/databases/${encodeURIComponent(database)}/${kind}`
  return address.href
}
