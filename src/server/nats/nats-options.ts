import { RowcastError } from '../../errors/index.ts'

/** Where the servers of a NATS cluster are, and how they are reached. */
export interface NatsOptions {
  /**
   * `nats://a,b,c`, or `tls://a,b,c` where nothing may go unencrypted: servers with or without a port (4222), and the user
   * with the password, or a token, before them, percent-encoded: `nats://user:password@a,b,c`. After a slash, the name that
   * the streams begin with: `nats://a,b,c/rowcast`.
   */
  readonly url: string
  /** In place of those in the address. */
  readonly credentials?: NatsCredentials | undefined
  /** Files of the certificates, in PEM: those of the authority where it is none that Node knows, and the client's own. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string } | undefined
}

export type NatsCredentials = { readonly user: string; readonly password: string } | { readonly token: string }

/** What an address says. */
export interface NatsAddress {
  /** `host:port` of each, in the order of the address. */
  readonly servers: readonly string[]
  readonly isEncrypted: boolean
  readonly credentials: NatsCredentials | undefined
  /** What the names of streams begin with. */
  readonly prefix: string
  /** The address without credentials, for messages. */
  readonly shown: string
}

const PORT = 4222

/** Reads an address. Throws RowcastError (`options`), which tells nothing of what may be a password. */
export function parseNatsUrl(url: string): NatsAddress {
  // Each server may have the scheme before it, the same for all.
  const plain = url.replaceAll(`,${url.slice(0, url.indexOf('://'))}://`, ',')
  const [, scheme, list = '', name = ''] = /^(nats|tls):\/\/([^/]*)(?:\/([^/]*)\/?)?$/.exec(plain) ?? []
  if (scheme === undefined)
    throw refusal('it is none: give nats://a,b,c or tls://a,b,c (encode what a password has of / , @)')
  if (!/^[\w-]*$/.test(name)) throw refusal('what follows the slash is no name of streams: use A-Z a-z 0-9 _ -')
  const entries = list.split(',').map((entry, n) => parseEntry(entry, n + 1))
  const given = entries.flatMap(({ credentials }) => credentials ?? [])
  if (given.some((one) => JSON.stringify(one) !== JSON.stringify(given[0])))
    throw refusal('its servers have different users: give one for all')
  if (given.length > 0 && !entries[0]!.credentials) throw refusal('its first server has no user, and another one has')
  const servers = entries.map(({ server }) => server)
  const prefix = name === '' ? 'rowcast' : name
  const shown = `${scheme}://${servers.join(',')}/${prefix}`
  return { servers, isEncrypted: scheme === 'tls', credentials: given[0], prefix, shown }
}

function parseEntry(
  entry: string,
  position: number,
): { readonly server: string; readonly credentials: NatsCredentials | undefined } {
  const at = entry.lastIndexOf('@')
  const server = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(entry.slice(at + 1))
  const port = Number(server?.[2] ?? PORT)
  if (!server || port === 0 || port > 65_535) throw refusal(`server ${position} of it is no host or host:port`)
  return { server: `${server[1]}:${port}`, credentials: at < 0 ? undefined : parseCredentials(entry.slice(0, at)) }
}

function parseCredentials(text: string): NatsCredentials {
  const [first = '', ...rest] = text.split(':').map(decode)
  if (first === '' || rest.length > 1) throw refusal('what stands before @ is no user:password and no token')
  return rest[0] === undefined ? { token: first } : { user: first, password: rest[0] }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw refusal('user, password or token is not percent-encoded: write % as %25', cause)
  }
}

function refusal(why: string, cause?: unknown): RowcastError<'options'> {
  return new RowcastError('options', `the address of NATS can't be used: ${why}`, { cause })
}
