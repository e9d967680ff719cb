import { RowcastError } from '../../errors/index.ts'
import type { RelayOptions } from './relay-connections.ts'
import type { FirstState } from '../live-database.ts'
import type { OtherServer } from '../log.ts'
import { SENT_BY, sentBy, signSender } from './sent-by.ts'

/** Of one connection only, or made by who sends it: they are not passed on. */
const OWN = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'host', 'origin', SENT_BY]
/** `fetch` gives the body as it was before it was encoded. */
const OF_BODY = ['content-encoding', 'content-length', ...OWN]

/** Another server than the one that was asked has the database: the one that has sent the request asks anew. */
export class MisdirectedError extends RowcastError<'misdirected'> {
  override readonly name: string = 'MisdirectedError'
  constructor(database: string) {
    super('misdirected', `another server looks after '${database}' by now`)
  }
}

/**
 * Passes a request on to the server that looks after its database, and gives its answer; `undefined` where that is this
 * one. Throws MisdirectedError for a request that another server has sent here in vain, RowcastError (`unavailable`) where
 * the server that has the database can't be reached.
 */
export async function relayRequest(
  request: Request,
  database: string,
  from: { readonly address?: string | undefined },
  { placement, secret }: Pick<RelayOptions, 'placement' | 'secret'>,
): Promise<Response | undefined> {
  const sender = sentBy(request.headers.get(SENT_BY), secret)
  const isSent = sender?.isKnown === true
  for (let isStale = false; ; isStale = true) {
    const other = await placement.elsewhere(database, { isSent, isStale })
    if (!other) return undefined
    if (sender) throw new MisdirectedError(database)
    const answer = await pass(request, other, signSender({ address: from.address }, secret))
    if (answer.status !== 421) return answer
    // It has refused before it read anything; what is sent again must be there again.
    if (isStale || request.bodyUsed)
      throw new RowcastError('unavailable', `'${database}' is on its way to another server: ask again`)
  }
}

/**
 * Has a database made by the server that is to look after it, and gives its answer; `undefined` where that is this one.
 * Throws RowcastError (`unavailable`) where that server can't be reached.
 */
export async function relayMade(
  database: string,
  { bytes, ...made }: FirstState,
  signal: AbortSignal,
  { placement, secret }: RelayOptions,
): Promise<Response | undefined> {
  const other = await placement.elsewhere(database)
  if (!other) return undefined
  const url = new URL(`/v1/databases/${encodeURIComponent(database)}`, other.url)
  const request = new Request(url, { method: 'PUT', body: new Uint8Array(bytes), signal })
  return pass(request, other, signSender({ made }, secret))
}

async function pass(request: Request, { url: to, gone }: OtherServer, sender: string): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const url = new URL(pathname.slice(1) + search, to.replace(/\/?$/, '/'))
  const headers = new Headers(request.headers)
  for (const name of OWN) headers.delete(name)
  headers.set(SENT_BY, sender)
  headers.set('accept-encoding', 'identity')
  let answer: Response
  try {
    answer = await fetch(url, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([request.signal, gone]),
      ...(request.body && { body: request.body, duplex: 'half' }),
    })
  } catch (cause) {
    request.signal.throwIfAborted()
    throw new RowcastError('unavailable', `the server at ${to}, which has the database, can't be reached`, { cause })
  }
  const told = new Headers(answer.headers)
  for (const name of OF_BODY) if (name !== 'content-length' || answer.headers.has('content-encoding')) told.delete(name)
  return new Response(answer.body, { status: answer.status, headers: told })
}
