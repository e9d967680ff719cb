import { RowcastError } from '../../errors/index.ts'

/** A request that is answered with an error of its own. */
export class RequestError extends RowcastError {
  override readonly name: string = 'RequestError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, reason: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, reason)
    this.status = status
    this.headers = headers
  }
}

const STATUS: Readonly<Record<string, number>> = {
  malformed: 400,
  serialize: 400,
  'database-name': 400,
  sequence: 400,
  unauthenticated: 401,
  forbidden: 403,
  'read-only': 403,
  'unknown-database': 404,
  'not-found': 404,
  exists: 409,
  conflict: 409,
  'log-conflict': 409,
  'too-large': 413,
  misdirected: 421,
  validation: 422,
  constraint: 422,
  migration: 422,
  version: 422,
  sql: 422,
  schema: 422,
  transaction: 422,
  filter: 422,
  flood: 429,
  closed: 503,
  unavailable: 503,
  moved: 503,
  thread: 503,
  'log-uncertain': 503,
}

/** `{ error: { code, reason } }` with a status, as every call answers that fails. */
export function errorBody(
  status: number,
  code: string,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: { code, reason } }, { status, headers: { 'cache-control': 'no-store', ...headers } })
}

/** The answer to what was thrown. What is the server's own failure is reported and says nothing of the inside. */
export function errorResponse(error: unknown, report: (error: unknown) => void): Response {
  if (error instanceof RequestError) return errorBody(error.status, error.code, error.message, error.headers)
  const known: RowcastError | undefined = error instanceof RowcastError ? error : undefined
  const status = known && STATUS[known.code]
  if (!known || status === undefined) {
    report(error)
    return errorBody(500, 'internal', 'the server failed')
  }
  if (status === 503) {
    // What goes, or is another server's by now, is no failure.
    if (known.code !== 'closed' && known.code !== 'moved') report(error)
    return errorBody(503, 'unavailable', 'the server can not tell now: ask again', { 'retry-after': '1' })
  }
  return errorBody(
    status,
    known.code,
    known.message,
    status === 401 ? { 'www-authenticate': 'Bearer realm="rowcast"' } : {},
  )
}
