import { RowcastError } from '../../errors/index.ts'

/**
 * The address of a database's sync endpoint: the server's own address with the path of API.md, or the address as it is
 * where it names an endpoint already (`…/sync`, `…/events`). In a page a path will do.
 */
export function endpointOf(
  url: string | URL,
  database: string,
  kind: 'sync' | 'events',
  scheme: 'ws' | 'http',
): string {
  let address: URL
  try {
    address = new URL(url, globalThis.location?.href)
  } catch (cause) {
    throw new RowcastError('transport', `'${String(url)}' is no URL`, { cause })
  }
  if (!/^(?:https?|wss?):$/.test(address.protocol))
    throw new RowcastError('transport', `'${address.href}' is no address of a server: use ${scheme}: or ${scheme}s:`)
  const secure = address.protocol === 'https:' || address.protocol === 'wss:'
  address.protocol = `${scheme}${secure ? 's' : ''}:`
  if (!address.pathname.endsWith(`/${kind}`))
    address.pathname = `${address.pathname.replace(/\/$/, '')}/v1/databases/${encodeURIComponent(database)}/${kind}`
  return address.href
}
