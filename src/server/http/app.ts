import { Hono } from 'hono'
import { cors as hono } from 'hono/cors'
import { bodyBytes, createSseHandler, type Accept } from '../../transport/index.ts'
import { budgetKey } from '../budgets.ts'
import { LogMovedError } from '../log-errors.ts'
import { assertDatabaseName } from '../names.ts'
import { bearerToken } from './bearer-token.ts'
import { StoreClosedError } from '../../errors/index.ts'
import { flood, type Answer, type CallContext } from './call.ts'
import { errorBody, errorResponse, RequestError } from './error-response.ts'
import { answerHealth } from './routes/health.ts'
import { answerMetrics } from './routes/metrics.ts'
import type { Metrics } from './metrics.ts'
import type { OriginGate } from './origin-gate.ts'
import type { CorsOptions } from './origins.ts'
import { MisdirectedError, relayRequest, SENT_BY, sentBy } from '../relay/index.ts'
import { createDatabase, deleteDatabase, listDatabases } from './routes/databases.ts'
import { exportDatabase } from './routes/export-database.ts'
import { forkDatabase } from './routes/fork.ts'
import { readHistory } from './routes/history.ts'
import { importDatabase } from './routes/import-database.ts'
import { rollBack } from './routes/rollback.ts'
import { createSnapshot, listSnapshots } from './routes/snapshots.ts'
import { transact } from './routes/transactions.ts'

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
/** Where a request comes from, where that is known. */
export interface Origin {
  readonly address?: string | undefined
}

type Plain = (request: Request, from?: Origin) => Promise<Response>

export interface AppOptions extends CallContext {
  readonly accept: Accept
  readonly metrics: Metrics
  readonly publicMetrics: boolean
  readonly cors: CorsOptions | undefined
  readonly allowsOrigin: OriginGate
}

/** Every call of the server but the WebSocket, as a handler of Web-standard requests. It never rejects. */
export function createApp(options: AppOptions): Plain {
  const { core, cors, allowsOrigin } = options
  const app = new Hono<{ Bindings: Origin }>()
  app.onError((error) => errorResponse(error, core.report))
  app.notFound(() => errorBody(404, 'not-found', 'there is no such call: see the list of calls in the documentation'))
  if (cors) app.use(corsOf(cors))
  app.use(async ({ req }, next) => {
    const origin = req.raw.headers.get('origin')
    if (!allowsOrigin(origin, req.raw.headers.get('host') ?? new URL(req.url).host))
      throw new RequestError(403, 'origin', `pages of ${origin} may not talk to this server: see the option cors`)
    await next()
  })

  const on = (path: string, answers: Readonly<Partial<Record<Method, Plain>>>): void => {
    for (const [method, answer] of Object.entries(answers)) app.on(method, path, ({ req, env }) => answer(req.raw, env))
    const allow = Object.keys(answers)
    app.all(path, ({ req }) => {
      throw new RequestError(405, 'method', `${req.method} is not answered here: ${allow.join(', ')} is`, {
        allow: (answers.GET ? ['HEAD', ...allow] : allow).join(', '),
      })
    })
  }
  const call = (path: string, answers: Readonly<Partial<Record<Method, Answer>>>): void => {
    const plain = Object.entries(answers).map(([method, answer]): [string, Plain] => [
      method,
      (request, from) => take(options, answer, request, from),
    ])
    on(path, Object.fromEntries(plain))
  }

  call('/v1/databases', { GET: listDatabases })
  call('/v1/databases/:db', { PUT: createDatabase, DELETE: deleteDatabase })
  call('/v1/databases/:db/export', { GET: exportDatabase })
  call('/v1/databases/:db/import', { PUT: importDatabase })
  call('/v1/databases/:db/snapshots', { GET: listSnapshots, POST: createSnapshot })
  call('/v1/databases/:db/rollback', { POST: rollBack })
  call('/v1/databases/:db/fork', { POST: forkDatabase })
  call('/v1/databases/:db/history', { GET: readHistory })
  call('/v1/databases/:db/transactions', { POST: transact })
  const events = eventsOf(options)
  on('/v1/databases/:db/events', { GET: events, POST: events })
  on('/v1/databases/:db/sync', {
    GET: async () => {
      throw new RequestError(426, 'upgrade', 'this is a WebSocket: connect with one', { upgrade: 'websocket' })
    },
  })
  on('/healthz', { GET: (request) => answerHealth(core, request) })
  on('/metrics', { GET: (request) => answerMetrics(options, request) })
  return async (request, from = {}) => app.fetch(request, from)
}

/** Who asks, and about which database; then the answer. */
async function take(context: AppOptions, answer: Answer, request: Request, origin: Origin = {}): Promise<Response> {
  const { core, relay } = context
  const url = new URL(request.url)
  const name = databaseOf(url)
  const elsewhere = relay && name !== '' ? await relayRequest(request, name, origin, relay) : undefined
  if (elsewhere) return elsewhere
  const sender = relay && sentBy(request.headers.get(SENT_BY), relay.secret)
  if (sender?.isKnown === false && request.method !== 'GET')
    throw new RequestError(
      403,
      'sent-by',
      'this was sent by a server that has another secret: give all of them the same',
    )
  const from = sender?.isKnown === true ? sender : origin
  const made = sender?.made
  // Another server knows who it was.
  const user = made ? undefined : await core.authenticate({ token: bearerToken(request) })
  // Requests of whom nothing is known count together.
  const budget = core.budgets.of(budgetKey(user, from.address) ?? 'anyone')
  if (!budget.take('requests')) throw flood(`${core.limits.transactions} requests of one user are under way`)
  let held = 0
  const hold = (bytes: number): void => {
    if (!budget.take('waitingBytes', bytes)) throw flood('too much of one user is under way')
    if (!budget.take('memoryBytes', bytes)) {
      budget.release('waitingBytes', bytes)
      throw flood('too much is under way')
    }
    held += bytes
  }
  try {
    return await answer({ ...context, request, url, user, hold, name, made })
  } catch (error) {
    if (!(error instanceof LogMovedError)) throw error
    // A server that has sent someone here asks anew where the database is.
    throw sender ? new MisdirectedError(name) : new StoreClosedError(`database '${name}'`)
  } finally {
    budget.release('requests')
    budget.release('waitingBytes', held)
    budget.release('memoryBytes', held)
  }
}

/** The database that a path speaks of, `''` for none. Throws RowcastError (`database-name`) for no name. */
function databaseOf({ pathname }: URL): string {
  const part = /^\/v1\/databases\/([^/]*)/.exec(pathname)?.[1]
  if (part === undefined) return ''
  let name: string
  try {
    name = decodeURIComponent(part)
  } catch {
    throw new RequestError(400, 'malformed', 'the path is not percent-encoded UTF-8')
  }
  assertDatabaseName(name)
  return name
}

function eventsOf({ core, accept }: AppOptions): Plain {
  const { messageBytes, bodyPauseMs } = core.limits
  const handle = createSseHandler(accept, { maxBodyBytes: bodyBytes(messageBytes), bodyPauseMs })
  return async (request, from) => {
    databaseOf(new URL(request.url))
    const response = await handle(request, from)
    return response.ok ? response : errorBody(response.status, codeOf(response.status), await response.text())
  }
}

function codeOf(status: number): string {
  const codes: Readonly<Record<number, string>> = {
    404: 'unknown-session',
    408: 'body-paused',
    409: 'out-of-order',
    413: 'too-large',
    429: 'flood',
  }
  return codes[status] ?? 'malformed'
}

function corsOf({ origins }: CorsOptions): ReturnType<typeof hono> {
  return hono({
    origin: origins === '*' ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'range', 'if-none-match', 'if-range'],
    exposeHeaders: ['etag', 'content-length', 'content-range', 'accept-ranges', 'rowcast-sequence', 'retry-after'],
    maxAge: 600,
  })
}
